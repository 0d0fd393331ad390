"""One check of the doctor, and how a check comes to its result."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.connection import Connection
from shared.domain.errors import Code, ConnectorError
from shared.domain.help import EXPLANATIONS
from shared.domain.strict import Strict
from shared.pipeline.parts import Parts


class Result(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    WARNED = "warned"
    """It works; somebody should look at it soon."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be made, or need not be."""


class About(StrEnum):
    """Of whom a check speaks: `lms` works as the person who is signed in, with that person's rights."""

    APP = "app"
    """It would say the same to anybody: it reads what the app has left, or what does not depend on who asks."""
    YOU = "you"
    """It speaks of the rights or the machine of whoever asks; the app's may be other ones."""


class Check(Strict):
    """What one check found."""

    connection: str = ""
    """Empty for what all connections share."""
    name: str
    about: About
    result: Result
    found: str
    """A sentence; of a skipped one the reason."""
    mend: str = ""
    """What to do, when there is something."""
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class Exam:
    """A check that is being made."""

    name: str
    about: About
    connection: str = ""

    def passed(self, found: str) -> Check:
        """All is well."""
        return self._check(Result.PASSED, found)

    def warned(self, found: str, mend: str) -> Check:
        """It works; somebody should look at it soon."""
        return self._check(Result.WARNED, found, mend)

    def failed(self, found: str, mend: str, code: Code | None = None) -> Check:
        """Something has to be done."""
        return self._check(Result.FAILED, found, mend, code)

    def skipped(self, reason: str, mend: str = "") -> Check:
        """It could not be made, or need not be."""
        return self._check(Result.SKIPPED, reason, mend)

    def refused(self, error: ConnectorError) -> Check:
        """Fail with what an error says, and what its code asks for."""
        mend = EXPLANATIONS[error.code].mend if error.code else "Try again; if it stays so, look at the app's log."
        return self.failed(str(error), mend, error.code)

    def attempt(self, examine: Callable[[], Check]) -> Check:
        """Return what the examination finds; one that is refused has failed."""
        try:
            return examine()
        except ConnectorError as error:
            return self.refused(error)

    def _check(self, result: Result, found: str, mend: str = "", code: Code | None = None) -> Check:
        return Check(
            connection=self.connection,
            name=self.name,
            about=self.about,
            result=result,
            found=found,
            mend=mend,
            code=code,
        )


@dataclass(frozen=True, slots=True)
class Patient:
    """A connection that is being looked at."""

    parts: Parts
    name: str
    connection: Connection
    now: datetime

    def app(self, name: str) -> Exam:
        """Begin a check that speaks about the app."""
        return Exam(name, About.APP, self.name)

    def you(self, name: str) -> Exam:
        """Begin a check that speaks about whoever asks."""
        return Exam(name, About.YOU, self.name)
