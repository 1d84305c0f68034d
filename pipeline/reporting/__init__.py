"""From scores to an answer: tables, words, plots, Markdown and HTML."""
