"""What a file holds besides records: what was ignored, and what could not be read."""

from enum import StrEnum

from shared.domain.errors import Code
from shared.domain.faults import ROOT, Fault
from shared.domain.write_back import Refusal

LONGEST_RECORD = 1 << 20
"""Characters of the longest record that is read; a hundred times what any sender writes."""


class Ignored(StrEnum):
    """Why something that was read well became no record."""

    FILTERED = "filtered"
    """A row that a filter of its mapping left out."""
    OTHER_VERB = "other_verb"
    """A statement whose verb says neither completed nor passed nor failed."""
    OTHER_OBJECT = "other_object"
    """A statement that is about no activity."""
    NOT_COMPLETED = "not_completed"
    """A statement whose verb says completed and whose result says that it is not."""
    VOIDED = "voided"
    """A statement that another one before it in the file took back."""


class UnreadableError(Exception):
    """From here on the file cannot be read."""

    def __init__(self, message: str, line: int | None = None, code: Code = Code.RECORD_MALFORMED) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.code = code

    def refusal(self) -> Refusal:
        """Say it as a refusal of the file."""
        return Refusal(line=self.line, path=ROOT, code=self.code, message=self.message)


def refused(line: int, fault: Fault) -> Refusal:
    """Say a fault as a refusal of the record on a line."""
    subject = "The record" if fault.path == ROOT else fault.path
    return Refusal(line=line, path=fault.path, code=fault.code, message=f"{subject} {fault.message}")
