"""Another attribute than employeeId holds the person ids: everything that asks Entra goes by it, and nothing tells it.

The principal name and the mail address say who somebody is to whoever reads them, even more than a number does.
"""

import csv
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.domain.connection import Connection
from shared.domain.explanation import Cause
from shared.pipeline.doctor import Check, examine
from shared.pipeline.explain import explain
from shared.pipeline.explain_scene import Question
from tests.bad_input.conftest import Tenant
from tests.company import FULL, NOBODY, Person, betrays, files, full, item, plan, student
from tests.desk import NAME, Desk
from tests.desk_connection import DEFAULTS
from tests.test_privacy import Witness

ADA = Person("quokka-ada", "Quokkalina.Quokkason@quokka.example", "00000000-0000-4000-8000-0000000000a1")
BEA = Person("quokka-bea", "quokka.bea@quokka.example", "00000000-0000-4000-8000-0000000000b2")
EXTENSION = "onPremisesExtensionAttributes/extensionAttribute7"
OTHERS = ("userPrincipalName", "mail", EXTENSION)
COLUMNS = ("id", "employeeId", "accountEnabled", "userType", "userPrincipalName", "mail", "extensionAttribute7")


def load(desk: Desk, folder: Path, attribute: str, people: dict[Person, str]) -> None:
    """Let the directory hold these users, whose attribute has that value; the other attributes have others."""
    path = folder / "users.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, restval="")
        rows.writeheader()
        for number, (person, value) in enumerate(people.items()):
            other = dict.fromkeys(COLUMNS[4:], f"{number}@other.example") | {"employeeId": str(number)}
            known = {"id": person.user_id, "accountEnabled": "true", "userType": "Member"}
            rows.writerow({**other, **known, attribute.rpartition("/")[2]: value})
    desk.simulator.load_directory(path)


def package() -> dict[str, bytes]:
    return full(
        PV_PARTNER_STUDENT=[student(person) for person in (ADA, BEA, NOBODY)],
        PA_STUD_CPNT=[plan(ADA, 1), plan(BEA, 1), plan(NOBODY, 1)],
        PA_CPNT_EVTHST=[],
    )


def index(desk: Desk) -> dict[str, Any]:
    document = desk.parts.directory_index.find("index")
    assert document is not None
    return document.value


@pytest.fixture(params=OTHERS)
def attribute(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Graph is asked of users."""
    found: list[str] = []
    pages = desk.graph.pages

    def note(url: str) -> Iterator[tuple[bytes, str | None]]:
        found.append(url)
        return pages(url)

    monkeypatch.setattr(desk.graph, "pages", note)
    return found


def test_learners_are_found_by_it_and_it_is_nowhere_to_be_read(
    desk: Desk, tmp_path: Path, attribute: str, asked: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    witness = Witness(Tenant(desk, desk.simulator, tmp_path), caplog)
    desk.set(directory_attribute=attribute)
    load(desk, tmp_path, attribute, {ADA: "QUOKKALINA.Quokkason@quokka.example", BEA: BEA.key})
    desk.drop(FULL, package())

    (run,) = desk.sync().runs

    assert (run.outcome, run.coverage.learners, run.coverage.mapped, run.reject_count) == ("done", 3, 2, 0)
    assert {ADA.user_id, BEA.user_id} == {
        json.loads(line)["learnerUserId"] for line in exported(desk, tmp_path) if "learnerUserId" in line
    }
    selected = {url.partition("$select=")[2].partition("&")[0] for url in asked if "$select" in url}
    assert selected == {f"id,{attribute.partition('/')[0]},accountEnabled,userType,assignedPlans"}
    witness.search("after a full")
    told = explain(desk.parts, NAME, Question(ADA.key, "C-1"))
    missing = explain(desk.parts, NAME, Question(NOBODY.key, "C-1"))
    check = coverage(desk)
    assert told.cause is Cause.PUBLISHED
    assert any(f"One enabled user in Entra has this {attribute}" in fact.text for fact in told.facts)
    assert missing.cause is Cause.UNMATCHED
    assert f"person id as {attribute}." in missing.what
    assert f"Fill in {attribute} in Entra" in missing.mend
    assert f"2 of 2 enabled members (100.0 %) have a{'n' * (attribute[0] == 'o')} {attribute}" in check.found
    assert betrays("".join([str(told), str(missing), str(check)])) == []
    witness.search("after it was asked about")


def exported(desk: Desk, folder: Path) -> list[str]:
    path = folder / "viva.ndjson"
    desk.simulator.export_viva(path)
    return path.read_text("utf-8").splitlines()


def coverage(desk: Desk) -> Check:
    return next(check for check in examine(desk.parts, [NAME]) if check.name == "directory coverage")


def test_with_another_one_everybody_is_looked_up_anew_and_nothing_is_taken_back(desk: Desk, tmp_path: Path) -> None:
    """Somebody whom the new attribute does not know keeps what is published until he is found again."""
    load(desk, tmp_path, "userPrincipalName", {ADA: ADA.key, BEA: BEA.key})
    desk.set(directory_attribute="userPrincipalName")
    desk.drop(FULL, package())
    first = desk.sync().runs[0]
    shown = exported(desk, tmp_path)

    desk.set(directory_attribute="mail")
    before = explain(desk.parts, NAME, Question(ADA.key, "C-1"))
    load(desk, tmp_path, "mail", {ADA: ADA.key, BEA: "somebody@else.example"})
    desk.drop("acme_D_20261101220000.zip.pgp", files({"PA_CPNT": [item(6)]}))
    desk.pass_time(86_400)
    second = desk.sync().runs[0]

    assert (first.coverage.mapped, second.coverage.mapped, second.outcome) == (2, 1, "done")
    assert second.changes.assignments.model_dump() == {"add": 0, "change": 0, "withdraw": 0}
    assert set(shown) < set(exported(desk, tmp_path))
    assert index(desk)["attribute"] == "mail"
    assert "Nobody has asked Entra about this learner yet." in {fact.text for fact in before.facts}


def test_the_doctor_asks_graph_while_the_index_is_of_another_one(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, EXTENSION, {ADA: ADA.key, BEA: ""})
    desk.set(reject_limit_percent=100)
    desk.drop(FULL, package())
    desk.sync()
    seen = coverage(desk)
    desk.set(directory_attribute=EXTENSION)

    check = coverage(desk)

    assert "as the app saw them" in seen.found
    assert f"1 of 2 enabled members (50.0 %) have an {EXTENSION}." in check.found
    assert "as the app saw them" not in check.found


@pytest.mark.parametrize(("attribute", "listings"), [("userPrincipalName", 1), ("mail", 2), (EXTENSION, 2)])
def test_what_the_delta_may_not_tell_is_listed_anew_every_day(
    desk: Desk, tmp_path: Path, asked: list[str], attribute: str, listings: int
) -> None:
    """Graph promises changes of its main store only; nobody says that mail and extensions are there."""
    desk.set(directory_attribute=attribute)
    load(desk, tmp_path, attribute, {ADA: "1"})
    desk.drop(FULL, package())
    first = desk.sync().runs[0]
    load(desk, tmp_path, attribute, {ADA: ADA.key})
    desk.drop("acme_D_20261101220000.zip.pgp", files({"PA_CPNT": [item(6)]}))
    desk.pass_time(86_400)

    second = desk.sync().runs[0]

    assert sum(url.startswith("/users?") for url in asked) == listings
    assert (first.coverage.mapped, second.coverage.mapped) == (0, 1)


def test_an_id_may_be_as_long_as_the_attribute_allows(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, "mail", {ADA: ADA.key})
    long = {"PV_PARTNER_STUDENT": [student(ADA), student(BEA, PERSON_ID_EXTERNAL="b" * 1025)]}
    desk.set(reject_limit_percent=100)
    desk.drop(FULL, full(**long))
    by_number = desk.sync(dry_run=True).runs[0]
    desk.set(directory_attribute="mail")

    by_mail = desk.sync(dry_run=True).runs[0]

    (first, second), (only,) = ([each.message for each in run.rejects] for run in (by_number, by_mail))
    assert first == second
    assert "is longer than 16 characters, the most that Entra's employeeId can hold. Use" in first
    assert "is longer than 1024 characters, the most to compare with mail. Use" in only


@pytest.mark.parametrize("attribute", ["displayName", "Mail", "extensionAttribute1", f"{EXTENSION}0", "mail "])
def test_an_attribute_that_graph_does_not_spell_so_is_refused(attribute: str) -> None:
    with pytest.raises(ValueError, match="directory_attribute"):
        Connection.model_validate({**DEFAULTS, "directory_attribute": attribute})
