"""DID IT ARRIVE: the envelope on each message and the ledger that accounts for it. Pure; no I/O, no clock."""
