"""WHAT IS ASKED: the one typed document that goes into a run. Knows no behaviour."""
