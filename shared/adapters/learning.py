"""LMSs that courses and completions go back to: each connection says which kind its own is."""

import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from shared.adapters.learning_wire import TIMEOUT_SECONDS, read_authorities
from shared.adapters.stackone import StackOneTargets
from shared.adapters.successfactors import SuccessFactorsTargets
from shared.domain.write_back import WriteBack
from shared.ports import LearningTarget, LearningTargets, Secret


class HttpxLearningTargets:
    """The port `LearningTargets`, for every kind of target."""

    def __init__(
        self,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        trusted: Callable[[], ssl.SSLContext] = read_authorities,
    ) -> None:
        self._kinds: dict[str, LearningTargets] = {
            "successfactors": SuccessFactorsTargets(timeout_seconds=timeout_seconds, trusted=trusted),
            "stackone": StackOneTargets(timeout_seconds=timeout_seconds, trusted=trusted),
        }

    def open(
        self, write_back: WriteBack, secrets: Sequence[Secret], now: datetime
    ) -> AbstractContextManager[LearningTarget]:
        """Log in to the connection's target with the newest of the secrets that is accepted."""
        return self._kinds[write_back.target.kind].open(write_back, secrets, now)
