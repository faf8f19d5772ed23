"""The supervisor: a trade's entry, stop, target and exit at a venue that knows plain orders only.

It is level-triggered (decision 0017): after each event it compares what must rest at the venue with what does, and
commands the difference. A restart computes the same difference again, so nothing hangs on a message that was lost.
"""
