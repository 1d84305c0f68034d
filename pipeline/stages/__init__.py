"""The stages of the DAG, each named for the thing it makes."""
