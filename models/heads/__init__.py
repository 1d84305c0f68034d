"""Classifiers: what is fitted on texts or on their features."""
