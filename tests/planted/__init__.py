"""Bugs planted in the exchange on purpose: what does not find them proves nothing by finding none."""
