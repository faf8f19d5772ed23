"""What the market looks like: indicators, structures, conditions, and the graph that computes them block by block.

Nothing here knows orders, positions or learning. One kernel a node serves a block of thousands in a backtest and a
block of one live; where the blocks are cut never changes a result.
"""
