"""Look at what is there or will be: plans, causes, costs, comparisons, readiness, upkeep."""
