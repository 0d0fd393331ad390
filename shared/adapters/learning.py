"""LMSs that courses and completions go back to: each connection says which kind its own is."""

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from shared.adapters.learning_wire import TIMEOUT_SECONDS, LearningWire, read_authorities
from shared.adapters.stackone import StackOneTarget
from shared.adapters.successfactors import SuccessFactorsTarget
from shared.adapters.successfactors_login import SuccessFactorsLogin
from shared.domain.write_back import SuccessFactors, WriteBack
from shared.ports import LearningTarget, Secret


class HttpxLearningTargets:
    """The port `LearningTargets`, for every kind of target."""

    def __init__(
        self,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        trusted: Callable[[], ssl.SSLContext] = read_authorities,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._trusted = trusted
        self._wait = wait

    @contextmanager
    def open(self, write_back: WriteBack, secrets: Sequence[Secret], now: datetime) -> Iterator[LearningTarget]:
        """Log in with the newest of the secrets that is accepted (see the port).

        StackOne has no login: the first request finds out which key is accepted.
        """
        target = write_back.target
        with LearningWire(
            "SuccessFactors" if isinstance(target, SuccessFactors) else "StackOne",
            target.base_url,
            now,
            throttled_seconds=write_back.throttled_seconds,
            timeout_seconds=self._timeout_seconds,
            trusted=self._trusted,
        ) as wire:
            if isinstance(target, SuccessFactors):
                login = SuccessFactorsLogin(wire, target, secrets)
                login.log_in()
                yield SuccessFactorsTarget(login, write_back, target, wire.now, self._wait)
            else:
                yield StackOneTarget(wire, write_back, target, secrets, self._wait)
