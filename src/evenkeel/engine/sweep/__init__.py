"""Many sets of parameters of one strategy, each run over the same bars and judged by the same figures."""
