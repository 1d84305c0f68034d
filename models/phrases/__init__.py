"""Phrase-based translation (Koehn et al. 2003) with Thot: tokens, language model, training."""
