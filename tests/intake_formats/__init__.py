"""Files that others send: statements, our own records, CSV."""
