"""Market data: catalog, importers, aggregation, quality, calendars and instrument definitions.

Nothing in this room guesses: bad data is refused or reported, never patched in silence.
"""
