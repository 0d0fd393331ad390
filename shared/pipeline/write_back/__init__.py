"""How courses and completions from elsewhere reach the LMS."""
