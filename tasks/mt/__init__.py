"""Machine translation: assemble text, train, translate, score."""
