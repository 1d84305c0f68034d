"""What every model leans on: errors, child processes."""
