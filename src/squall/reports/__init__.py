"""SHOW IT: JSON, CSV, Markdown and text. They render a record and its summary, and compute nothing."""
