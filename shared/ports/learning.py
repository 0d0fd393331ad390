"""What is asked of the LMS that courses and completions go back to."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from shared.domain.write_back import Completion, Course, Receipt, WriteBack
from shared.ports.services import Secret


class LearningTarget(Protocol):
    """The LMS, while a session is open. It paces nothing: whoever calls does.

    Every method raises:
        SettingsError: the login is refused (`INVALID_CREDENTIALS`) or a right is missing (`ACCESS_DENIED`).
        TransientError: no answer, an answer that is none, or a request for a pause; `not_before` says until when.
            Nothing is known then of what was sent.
    """

    def send_courses(self, courses: Sequence[Course]) -> Sequence[Receipt]:
        """Make or replace courses in one request; return a receipt for each, in order."""
        ...

    def send_completions(self, completions: Sequence[Completion]) -> Sequence[Receipt]:
        """Record completions in one request, at most `completions_per_request`; return a receipt for each, in order.

        The learners are the target's own ids (see `find_users`). One that may have been recorded without an answer
        raises `TransientError`; `is_recorded` tells.
        """
        ...

    def is_recorded(self, completion: Completion) -> bool | None:
        """Tell whether the LMS has this completion; `None` where it cannot be asked."""
        ...

    def find_users(self, external_reference: str) -> Sequence[str]:
        """Return the target's own ids of the users with this external reference; at most two are told."""
        ...

    def list_inactive(self) -> Iterator[str]:
        """Yield the ids of users who are not active; nothing where the target cannot tell.

        Between the pages it waits as `reads_pace` says: they are requests that nobody else can pace.
        """
        ...

    def describe_identity(self) -> str | None:
        """Return which field identifies users, as the target tells; `None` where it cannot."""
        ...


class LearningTargets(Protocol):
    """Opens sessions to the LMS."""

    def open(
        self, write_back: WriteBack, secrets: Sequence[Secret], now: datetime
    ) -> AbstractContextManager[LearningTarget]:
        """Log in with the newest of the secrets that is accepted. Raises as the methods of the target do."""
        ...
