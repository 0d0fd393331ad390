"""Names of files that are nearly those of packages: what they should have been."""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches

_TIDYINGS: Sequence[tuple[str, str]] = (
    (r"^\s+|\s+$", ""),
    (r"^Copy of | - Copy| ?\(\d+\)", ""),
    (r"\.(part|filepart|partial|tmp|temp|crdownload|done|ok)$", ""),
    (r"(\d{4})-?(\d\d)-?(\d\d)[T_-]?(\d\d)[:.-]?(\d\d)[:.-]?(\d\d)(?!\d)", r"\1\2\3\4\5\6"),
    (r"[\s.-]+([A-Za-z])[\s._-]+(?=\d)", r"_\1_"),
    (r"_(full)_", "_F_"),
    (r"_(delta)_", "_D_"),
    (r"_(keys?)_", "_K_"),
    (r"\.(gpg|asc|pgp\.asc)$", ".pgp"),
    (r"\.zip$", ".zip.pgp"),
    (r"(\d{14})(\.pgp)?$", r"\1.zip.pgp"),
    (r"_(\d{12})(?=\.?zip)", r"_\g<1>00"),
    (r"_(\d{8})(?=\.?zip)", r"_\g<1>000000"),
)
"""Applied one after the other, until the name fits."""


def suggest(name: str, fits: Callable[[str], bool], others: Sequence[str]) -> str | None:
    """Return the name that was probably meant, or one of the others that it resembles; `None` when nothing is near."""
    tidied = name
    for pattern, replacement in _TIDYINGS:
        tidied = re.sub(pattern, replacement, tidied, flags=re.IGNORECASE)
        if tidied != name and fits(tidied):
            return tidied
    return next(iter(get_close_matches(name, others, n=1, cutoff=0.8)), None)
