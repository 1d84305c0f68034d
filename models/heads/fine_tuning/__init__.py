"""Fine-tune a pretrained encoder with a linear head, and classify with what came of it."""
