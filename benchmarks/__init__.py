"""What the project costs in time and memory; one command each."""
