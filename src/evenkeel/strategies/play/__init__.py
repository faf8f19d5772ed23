"""Plays: strategies written as YAML, read once, checked as a whole, and run by both lanes."""
