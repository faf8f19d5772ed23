"""Reconciliation: what the broker has against what we have, as a plan of named differences and repairs."""
