"""The core and what carries it: drivers, clock, journal, snapshots, replay and the life of a run.

The core decides and does no I/O; a driver feeds it events and carries out its commands; the journal records both
before anything leaves. Nothing here knows a broker's name.
"""
