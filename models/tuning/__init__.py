"""Train an encoder further, whatever for: batches, optimizer, checkpoints, memory."""
