"""What squall costs, against a bare C client that does the least a client can do."""
