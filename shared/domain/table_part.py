"""Tables in parts: files that can be read by ranges of places, so that nothing large has to be in memory."""

from shared.domain.strict import Strict

PLACES = 1 << 16
"""Every row has a place below this: the first 16 bits of its student id's hash, or of its key's.

All rows of a student are in one place, and rows are spread evenly.
"""


class TablePart(Strict):
    """One file of a table or a snapshot; its rows are in the order of their places."""

    path: str
    rows: int
    first: int
    """The lowest place of a row."""
    last: int
    """The highest place of a row."""
