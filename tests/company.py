"""A small company whose people nobody can overlook: every word about one of them holds the same rare word.

What is made from a package may hold ids of Entra users, and hashes under the connector's own key, and nothing else
about anybody.
"""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local.graph import GraphSimulator
from tests.reference import COLUMNS, to_csv

type Rows = list[dict[str, str]]

RARE = "quokka"
FULL = "acme_F_20261101000000.zip.pgp"


@dataclass(frozen=True)
class Person:
    """Somebody in the LMS; only `user_id` may be known beyond the package."""

    student: str
    key: str
    user_id: str
    enabled: bool = True
    licensed: bool = True

    @property
    def email(self) -> str:
        return f"{self.student}@quokka.example"


ADA = Person("quokka-ada", "QUOKKA 100", "00000000-0000-4000-8000-0000000000a1")
BEA = Person("quokka-bea", "Quokka-0200", "00000000-0000-4000-8000-0000000000b2")
NOBODY = Person("quokka-cid", "quokka300", "")
"""In no directory."""
PEOPLE = (ADA, BEA, NOBODY)


def student(person: Person, **values: str) -> dict[str, str]:
    return {
        "STUD_ID": person.student,
        "PERSON_ID_EXTERNAL": person.key,
        "NOTACTIVE": "N",
        "EMAIL_ADDR": person.email,
        "FIRST_NAME": "Quokkalina",
        "LAST_NAME": "Quokkason",
    } | values


def item(number: int, **values: str) -> dict[str, str]:
    return {
        "CPNT_TYP_ID": "COURSE",
        "CPNT_ID": f"C-{number}",
        "REV_DTE": "2025-01-01",
        "CPNT_TITLE": f"Course {number}",
        "CPNT_LEN": "30",
        "CONTACT": "Quokka Contact",
    } | values


def plan(person: Person, number: int, **values: str) -> dict[str, str]:
    return {
        "STUD_ID": person.student,
        "CPNT_TYP_ID": "COURSE",
        "CPNT_ID": f"C-{number}",
        "REV_DTE": "2025-01-01",
        "SEQ_NUM": "1",
        "ASSGN_DTE": "2026-10-01",
        "ASSGN_USER": BEA.student,
        "ADD_USER": "quokka-boss",
    } | values


def done(person: Person, number: int, **values: str) -> dict[str, str]:
    return {
        "STUD_ID": person.student,
        "CPNT_TYP_ID": "COURSE",
        "CPNT_ID": f"C-{number}",
        "REV_DTE": "2025-01-01",
        "COMPL_DTE": "2026-10-20 10:00:00",
        "CMPL_STAT_ID": "OK",
        "INST_NAME": "Quokka Instructor",
        "COMMENTS": "Quokka said so",
        "LST_UPD_USR": "quokka-boss",
    } | values


def rows() -> dict[str, Rows]:
    """Five items; Ada has done the second one without being asked, Bea what she was assigned."""
    return {
        "PV_PARTNER_STUDENT": [student(person) for person in PEOPLE],
        "PA_CPNT": [item(number) for number in range(1, 6)],
        "PV_I18N_ACTIVE_LOCALE_LABEL": [],
        "PA_STUD_CPNT": [plan(ADA, 1), plan(ADA, 3), plan(BEA, 1), plan(NOBODY, 1), plan(ADA, 4), plan(BEA, 4)],
        "PA_RQMT_TYPE": [],
        "PA_CPNT_EVTHST": [done(ADA, 2), done(BEA, 1), done(NOBODY, 5)],
        "PA_CMPL_STAT": [{"CMPL_STAT_ID": "OK", "CPNT_TYP_ID": "", "PROVIDE_CRDT": "Y"}],
    }


PUBLISHED = {"learningContent": 5, "learningAssignment": 5, "learningSelfInitiatedCourse": 1}
"""What Viva Learning shows after `full()`."""


def full(**tables: Rows | bytes | None) -> dict[str, bytes]:
    """Return the files of a full package, but for the tables named; `None` leaves one out, bytes are its content."""
    return files({**rows(), **tables})


def files(tables: Mapping[str, Rows | bytes | None]) -> dict[str, bytes]:
    """Return inner files with all columns that SuccessFactors sends."""
    return {
        f"{name}.csv": content if isinstance(content, bytes) else as_csv(name, content)
        for name, content in tables.items()
        if content is not None
    }


GUESSABLE = {
    hashlib.new(kind, secret.encode(), usedforsecurity=False).hexdigest()[:16]: f"{kind} of {secret}"
    for kind in ("sha256", "sha1", "md5")
    for person in PEOPLE
    for secret in (person.student, person.key, person.key.lower(), person.email)
}
"""The beginnings of hashes without a key, and what they are of."""


def as_csv(table: str, content: Rows, *, without: Sequence[str] = ()) -> bytes:
    """Write a table with a header, leaving out some of its columns."""
    known = COLUMNS.get(table.removesuffix("_K"), ())
    more = dict.fromkeys(column for row in content for column in row if column not in known)
    return to_csv(content, [column for column in (*known, *more) if column not in without])


def make_directory(graph: GraphSimulator, folder: Path, *people: Person) -> None:
    """Let the directory hold exactly these people; everybody who is somebody unless told otherwise."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "employeeId", "accountEnabled", "userType", "licensed"])
    for person in people or (ADA, BEA):
        writer.writerow(
            [person.user_id, person.key, str(person.enabled).lower(), "Member", str(person.licensed).lower()]
        )
    path = folder / "directory.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    graph.load_directory(path)


def betrays(text: str) -> list[str]:
    """Say what about anybody stands in a text: a rare word, or a hash that whoever knows the id can make too."""
    lowered = text.lower()
    at = lowered.find(RARE)
    found = [lowered[max(at - 10, 0) : at + 20]] if at >= 0 else []
    bare = lowered.replace("-", "")
    return found + [name for digest, name in GUESSABLE.items() if digest in bare]
