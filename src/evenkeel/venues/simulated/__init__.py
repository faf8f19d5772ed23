"""The simulated exchange: one compiled loop, run through by the research lane, paused by the engine lane."""
