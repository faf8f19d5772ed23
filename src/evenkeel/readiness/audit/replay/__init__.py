"""A second evaluation of plays, written from their specification: what a strategy had to decide, and when.

Nothing here is the engine's: indicators are whole columns (`averages`, `oscillators`, `channels`), structures are lists
of pivots (`swings`, `zones`, `breaks`), conditions are looked at on a grid of instants (`grid`, `language`), and the
decisions that follow are held against those of the run (`signals`, `truncation`).
"""
