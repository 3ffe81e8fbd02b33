"""WATCH THE MACHINES: the target, squall itself, and the host that it runs on."""
