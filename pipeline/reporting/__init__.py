"""From scores to an answer: tables, words, charts, Markdown and HTML."""
