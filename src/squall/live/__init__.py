"""SHOW IT WHILE IT RUNS: lines or a view in a terminal. A slow viewer loses frames, and never slows a run."""
