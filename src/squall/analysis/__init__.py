"""WHAT IT MEANS: advice from what was measured."""
