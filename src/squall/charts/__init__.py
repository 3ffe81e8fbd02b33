"""DRAW IT: series, bands and distributions to SVG, for the report, Markdown and the live page alike. Pure."""
