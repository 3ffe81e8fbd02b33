"""DO IT: sessions, connector, pacer, worker and coordinator. Knows nothing of reports."""
