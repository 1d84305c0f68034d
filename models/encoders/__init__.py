"""What a classifier sees of a text: letters, words, or an encoder's states."""
