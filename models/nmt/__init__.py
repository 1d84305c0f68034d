"""Multilingual NMT with fairseq, always in a child process; published for others to load."""
