"""File formats in and out, one per module, imported only when needed."""
