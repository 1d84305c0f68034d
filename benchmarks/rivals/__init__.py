"""The other systems: each trains or translates in a child of its own, on what we give it."""
