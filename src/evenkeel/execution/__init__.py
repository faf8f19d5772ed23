"""How: what was approved becomes orders, and what venues report moves those orders along their states."""
