"""Mutation testing: small faults put into functions, to see whether a test notices (`make mutants`)."""
