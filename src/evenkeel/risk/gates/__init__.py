"""The gateway's decision: what is asked, what is known, one ordered list of gates, and the only mint of approval."""
