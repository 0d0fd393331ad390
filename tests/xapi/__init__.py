"""xAPI statements: what the specification allows, and what it does not."""
