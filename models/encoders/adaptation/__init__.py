"""Train a pretrained encoder further on text without labels: a file for each way."""
