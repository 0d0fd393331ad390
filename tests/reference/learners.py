"""Who the learners are in the directory."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.reference.contract import PLAN, STUDENTS, CompletionId, Coverage, Tables, User

type Found = Literal["mapped", "unmatched", "ambiguous", "disabled"]


def person_key(text: str) -> str:
    """Normalise a person's id: trim, compose (NFC), fold the case; zeros stay."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


def loose_key(text: str) -> str:
    """What is left of a person's id without leading zeros and whatever is not alphanumeric."""
    return "".join(letter for letter in person_key(text) if letter.isalnum()).lstrip("0")


@dataclass(frozen=True, slots=True)
class Directory:
    """The users, asked by person."""

    users: Sequence[User]

    def find(self, person: str) -> tuple[Found, User | None]:
        """Look a person up.

        Exactly one enabled member: mapped. Two or more: ambiguous. None but disabled ones: disabled.
        Else unmatched. Guests never count.
        """
        members = [user for user in self.users if user.userType == "Member" and person_key(user.employeeId) == person]
        enabled = [user for user in members if user.accountEnabled]
        if len(enabled) == 1:
            return "mapped", enabled[0]
        if enabled:
            return "ambiguous", None
        return ("disabled" if members else "unmatched"), None

    def nearly_has(self, person: str) -> bool:
        """Tell whether an unmatched person loosely equals an enabled member; reported, never used."""
        loose = loose_key(person)
        return bool(loose) and any(
            user.userType == "Member" and user.accountEnabled and loose_key(user.employeeId) == loose
            for user in self.users
        )


@dataclass(frozen=True, slots=True)
class Learners:
    """The student ids of the tables, and the users behind them."""

    tables: Tables
    directory: Directory

    def person_of(self, student: str) -> str | None:
        """The person of a student id; `None` without a row, or when it was refused."""
        row = self.tables.get(STUDENTS, {}).get((student,))
        return person_key(row["PERSON_ID_EXTERNAL"]) if row else None

    def user_of(self, student: str) -> User | None:
        """The one user to whom a student id is mapped; without a licence still mapped."""
        person = self.person_of(student)
        return None if person is None else self.directory.find(person)[1]

    def is_inactive(self, student: str) -> bool:
        """Tell whether the student id is switched off."""
        return self.tables[STUDENTS][(student,)]["NOTACTIVE"] == "Y"


def measure_coverage(learners: Learners, credited: Iterable[CompletionId]) -> Coverage:
    """Count the persons with at least one assignment or credited completion in the tables.

    Student ids without a person are outside of it.
    """
    persons = {learners.person_of(key[0]) for key in learners.tables.get(PLAN, {})} - {None}
    persons |= {completion.person for completion in credited}
    found = [(learners.directory.find(person)[0], person) for person in persons if person is not None]
    kinds = [kind for kind, _ in found]
    return Coverage(
        learners=len(found),
        mapped=kinds.count("mapped"),
        unmatched=kinds.count("unmatched"),
        ambiguous=kinds.count("ambiguous"),
        disabled=kinds.count("disabled"),
        near_miss=sum(kind == "unmatched" and learners.directory.nearly_has(person) for kind, person in found),
    )
