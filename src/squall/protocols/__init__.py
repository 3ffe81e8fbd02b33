"""WHAT TO SAY: what an exchange sends and how it reads what comes. Sans-I/O: frames in, events and frames out."""
