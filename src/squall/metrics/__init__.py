"""HOW MUCH, HOW LONG: histograms, totals, the catalogue of metrics, thresholds, verdicts. Does no I/O."""
