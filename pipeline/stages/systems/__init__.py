"""The kinds of MT system: what each is made from, and how its engine is loaded."""
