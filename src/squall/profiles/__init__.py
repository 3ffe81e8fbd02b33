"""WHEN TO ACT: load profiles, a worker's share of them, the schedule of intended sends. No I/O, no clock."""
