"""The account: the state machine around the cores of all its strategies (decision 0017)."""
