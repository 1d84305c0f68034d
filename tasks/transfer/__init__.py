"""Cross-lingual transfer: strategies, kinds of task, contests between them."""
