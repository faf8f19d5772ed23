"""The page of a sweep: its best sets, a heat map, and what each parameter does."""
