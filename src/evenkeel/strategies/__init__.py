"""What to trade and why. A strategy sees the market and its own position, and wishes; it never sends an order."""
