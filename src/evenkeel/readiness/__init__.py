"""Evidence: the independent audit of a run's files and, later, the gate before live trading."""
