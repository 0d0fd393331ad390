"""What whoever is on call hears of, once each."""

import logging
from enum import StrEnum

from shared.domain.strict import Strict


class AlertKind(StrEnum):
    """What an alert is about; `alert.<kind>` is the name of its event in the log."""

    FAILED = "failed"
    """The last look has failed."""
    HALTED = "halted"
    """A run waits for somebody's approval."""
    REJECTED = "rejected"
    """A package was refused."""
    MISSED = "missed"
    """A look that was due did not begin."""
    STALE = "stale"
    """Nothing new has been published for long."""
    VANISHING = "vanishing"
    """Packages that nobody has fetched will soon be deleted by their server."""
    POISON = "poison"
    """A message failed too often, and was put aside."""
    EXPIRING = "expiring"
    """A key or password will soon be no longer good."""
    STUCK = "stuck"
    """Nothing can be sent back to the LMS before somebody changes something, or it has not answered for long."""
    PUBLISHED = "published"
    """No trouble: a package has been published."""

    @property
    def level(self) -> int:
        """How loud it is in the log."""
        if self is AlertKind.PUBLISHED:
            return logging.INFO
        if self in (AlertKind.HALTED, AlertKind.STALE, AlertKind.EXPIRING):
            return logging.WARNING
        return logging.ERROR


class Condition(Strict):
    """Something that is so now, and that somebody should know."""

    kind: AlertKind
    subject: str = ""
    """Tells conditions of one kind apart that may hold at the same time, such as a queue or a secret."""
    code: str = ""
    """When it changes, it is told again."""
    text: str
    """Sentences: what, where, and how to mend it. Nothing about any person."""

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"{self.kind}|{self.subject}"
