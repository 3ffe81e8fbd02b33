"""KEEP IT: one folder per run, written as the run goes. A killed run opens, up to its last second."""
