"""Searching for parameters, and proofs that what was found is no accident: optimise, walk forward, look ahead."""
