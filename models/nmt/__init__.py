"""Multilingual NMT with fairseq, always in a child process; published for everybody else to load."""
