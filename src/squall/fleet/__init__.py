"""WHERE WORKERS RUN: in this process or in processes of their own; one interface. Knows no scenario."""
