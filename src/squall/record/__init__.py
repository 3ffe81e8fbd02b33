"""WHAT HAPPENED: the one typed document that comes out of a run. Plain data; knows no engine."""
