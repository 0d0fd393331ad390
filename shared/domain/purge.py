"""Files on SuccessFactors' own servers do not last: what nobody fetches in time is gone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT_FOR = timedelta(days=14)
"""Servers that SuccessFactors hosts delete every file that long after it was made, in all folders."""
_TOLD_BEFORE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Purge:
    """What is about to be deleted unfetched, or may be already."""

    is_over: bool
    text: str


def find_purge(newest: str, timestamp: datetime, now: datetime) -> Purge | None:
    """Say whether packages that came after the newest one that was fetched are in danger; `None` while there is time.

    `timestamp` is that of the newest one's name.
    """
    age, goes = now - timestamp, timestamp + KEPT_FOR
    if age < KEPT_FOR - _TOLD_BEFORE:
        return None
    fetched = f"Nothing newer than {newest} has been fetched for {age.days} days. "
    if now < goes:
        return Purge(
            is_over=False,
            text=f"{fetched}Servers that SuccessFactors hosts delete files after {KEPT_FOR.days} days, so what came "
            f"after it goes from {goes:%Y-%m-%d} on. Mend what stands in the way, see `lms doctor`; then the next look "
            "takes all of it.",
        )
    return Purge(
        is_over=True,
        text=f"{fetched}Servers that SuccessFactors hosts delete files after {KEPT_FOR.days} days, so some that came "
        "after it may be gone. Have a new full package made, which holds what they held.",
    )
