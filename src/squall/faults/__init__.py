"""BREAK IT, AND HEAL IT: faults switched on and off while a run goes on, and healed whatever ends it."""
