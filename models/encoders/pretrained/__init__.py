"""Pretrained multilingual encoders: read, cut to a study's text, published, run, judged."""
