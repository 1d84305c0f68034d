"""Build stages: a run, its workers, the scheduler they share."""
