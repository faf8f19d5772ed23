"""Deterministic simulation of the whole stack: a venue with a book of truth, a faulty network and a faulty disk.

Everything runs in virtual time on one thread, and every choice is drawn from one seed, so a story that fails is told
again exactly by its number.
"""
