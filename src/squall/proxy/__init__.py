"""THE BAD NETWORK: a TCP and WebSocket-frame fault proxy, a process of its own. Knows nothing of load."""
