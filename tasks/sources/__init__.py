"""Where text comes from: describe a source, fetch it, read its rows."""
