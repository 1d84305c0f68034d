"""The `sprachbund` command. Heavy imports stay inside the commands, so that `--help` is instant."""
