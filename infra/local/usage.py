"""What the command line cannot accept."""


class UsageError(ValueError):
    """The caller must ask otherwise; the message says how. The exit status is 2."""
