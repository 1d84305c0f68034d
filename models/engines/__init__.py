"""Whatever translates: each engine takes lines with their ids and returns them translated."""
