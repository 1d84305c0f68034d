"""The work on text, framework-free: reading, cleaning, augmentation, scoring, transfer.

Functions take plain values, records and paths; none knows of Luigi or of a whole experiment.
"""
