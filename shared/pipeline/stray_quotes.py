"""Records in which quotes stand wherever they like: how they are noticed, and read one by one."""

import csv
import re
from collections.abc import Iterator

STRAY_RECORD_BYTES = 1024 * 1024
"""A record is no longer than that where quotes stand wherever they like: one left open shall not swallow the file."""

# Found from the quote, which is rare, and not from the character before it, which is any. The second is a field of
# blanks and empty quotes, which readers take for different things.
STRAY_QUOTE = re.compile(rb'"(?:(?<=[^",|\t\r\n]")[^",|\t\r\n!]|(?<= ")"[,|\t\r\n])')


def read_record(lines: list[str], start: int, delimiter: str) -> tuple[list[str] | None, int, bool]:
    """Read the record that starts on a line.

    Returns it, or `None` when it is malformed; the line where the next one starts; and whether the lines came to their
    end before the record did.
    """
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        length = 0
        for index in range(start, len(lines)):
            if length > STRAY_RECORD_BYTES:
                return
            length += len(lines[index]) + 1
            taken = index + 1
            yield lines[index] + "\n"

    reader = csv.reader(source(), delimiter=delimiter, strict=True)
    try:
        record = next(reader)
    except csv.Error as error:
        return None, start + 1, taken == len(lines) and "end of data" in str(error)
    except StopIteration:
        return [], start + 1, False
    return record, start + reader.line_num, False
