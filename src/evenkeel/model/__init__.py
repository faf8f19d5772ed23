"""The nouns of trading: instruments, bars, orders, fills, events, commands, reasons, ids.

Nothing here reads a clock, a file or a network, and nothing imports another room of the house. Messages are structs
without cycles and say so (`gc=False`): a collector that walks a hundred thousand of them costs a fifth of a run.
"""
