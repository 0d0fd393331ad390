"""Who the learners are in the directory."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from tests.reference.contract import PLAN, STUDENTS, CompletionId, Coverage, Tables, User

type Found = Literal["mapped", "unmatched", "ambiguous", "disabled"]


def person_key(text: str) -> str:
    """Normalise a person's id: trim, compose (NFC), fold the case; zeros stay."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


RULES = ("drop_leading_zeros", "drop_spaces", "drop_signs")


def key_under(rules: Iterable[str], text: str) -> str:
    """What the rules leave of a person's id; where that is nothing, the id as it stands."""
    found = left = person_key(text)
    if "drop_spaces" in rules:
        left = "".join(letter for letter in left if not letter.isspace())
    if "drop_signs" in rules:
        left = "".join(letter for letter in left if letter.isalnum() or letter.isspace()).strip()
    if "drop_leading_zeros" in rules:
        left = left.lstrip("0")
    return left or found


@dataclass(frozen=True, slots=True)
class Directory:
    """The users, asked by person."""

    users: Sequence[User]
    rules: Sequence[str] = ()

    def find(self, person: str) -> tuple[Found, User | None]:
        """Look a person up, whose key is under the rules.

        Exactly one enabled member: mapped. Two or more: ambiguous. None but disabled ones: disabled.
        Else unmatched. Guests never count.
        """
        members = [
            user
            for user in self.users
            if user.userType == "Member"
            and user.employeeId.strip()
            and key_under(self.rules, user.employeeId) == person
        ]
        enabled = [user for user in members if user.accountEnabled]
        if len(enabled) == 1:
            return "mapped", enabled[0]
        if enabled:
            return "ambiguous", None
        return ("disabled" if members else "unmatched"), None

    def nearly_has(self, ids: Iterable[str]) -> bool:
        """Tell whether an unmatched person loosely equals an enabled member; reported, never used."""
        return bool(self._enabled_with(RULES, ids))

    def would_match(self, ids: Iterable[str]) -> str:
        """Return the fewest further rules with which a person would be exactly one enabled member."""
        others = [rule for rule in RULES if rule not in self.rules]
        for size in range(1, len(others) + 1):
            for more in combinations(others, size):
                if len(self._enabled_with((*self.rules, *more), ids)) == 1:
                    return ", ".join(more)
        return ""

    def _enabled_with(self, rules: Sequence[str], ids: Iterable[str]) -> list[User]:
        keys = {key_under(rules, each) for each in ids}
        return [
            user
            for user in self.users
            if user.userType == "Member" and user.accountEnabled and key_under(rules, user.employeeId) in keys
        ]


@dataclass(frozen=True, slots=True)
class Learners:
    """The student ids of the tables, and the users behind them."""

    tables: Tables
    directory: Directory

    def person_of(self, student: str) -> str | None:
        """The person of a student id; `None` without a row, or when it was refused."""
        row = self.tables.get(STUDENTS, {}).get((student,))
        return key_under(self.directory.rules, row["PERSON_ID_EXTERNAL"]) if row else None

    def ids_of(self, person: str) -> list[str]:
        """All that is written for the ids of a person."""
        ids = [row["PERSON_ID_EXTERNAL"] for row in self.tables.get(STUDENTS, {}).values()]
        return [each for each in ids if key_under(self.directory.rules, each) == person]

    def is_found_under(self, rules: Sequence[str], person: str, user: User) -> bool:
        """Tell whether all ids of a person are the user's under some rules."""
        return all(key_under(rules, each) == key_under(rules, user.employeeId) for each in self.ids_of(person))

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
    directory = learners.directory
    unmatched = [learners.ids_of(person) for kind, person in found if kind == "unmatched"]
    near = [ids for ids in unmatched if directory.nearly_has(ids)]
    mapped = [(person, user) for _, person in found if (user := directory.find(person)[1])]
    without = {
        rule: sum(
            not learners.is_found_under([each for each in directory.rules if each != rule], person, user)
            for person, user in mapped
        )
        for rule in directory.rules
    }
    return Coverage(
        learners=len(found),
        mapped=kinds.count("mapped"),
        unmatched=kinds.count("unmatched"),
        ambiguous=kinds.count("ambiguous"),
        disabled=kinds.count("disabled"),
        near_miss=len(near),
        near_by_rules=Counter(told for ids in near if (told := directory.would_match(ids))),
        by_rules=sum(not learners.is_found_under((), person, user) for person, user in mapped) if without else 0,
        by_rule=without,
    )
