"""Evenkeel: a trading engine that would rather stop than guess."""

__version__ = "0.1.0"
