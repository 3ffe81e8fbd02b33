"""The command line: what people type, and what they read. It computes nothing of its own."""
