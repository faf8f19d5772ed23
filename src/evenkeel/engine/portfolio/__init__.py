"""Several instruments in one run: one account, and an independent strategy state and position for each instrument."""
