"""The world that packages are made of: what is in it, and how a day changes it."""

import re
import threading
from collections import Counter
from datetime import date, timedelta

import pytest

from infra.local.generate import KeyFiles, Kind, Options, generate
from infra.local.generate.world import World
from tests.local.generate.reader import DAY, LABELS, Reader, by_key, rows_of, rows_on, state_of


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes", [(3, 2, 7, 5, 0), (1, 1, 0, 0, 1), (2, 1, 0, 0, 0), (30, 1, 0, 40, 2), (120, 60, 300, 200, 0)]
)
def test_every_day_follows_from_the_one_before(sizes: tuple[int, int, int, int, int]) -> None:
    """Also in worlds so small that nearly everything happens at once, and while people leave and come back."""
    learners, items, assignments, completions, leavers = sizes
    options = Options(
        day=DAY,
        learners=learners,
        items=items,
        assignments=assignments,
        completions=completions,
        leavers=leavers,
    )
    with World.of(options) as world:
        known = {table: by_key(table, rows_on(world, table)) for table in world.tables}
        for number in range(1, 6 if leavers else 4):
            world.move_to(options.first_day + timedelta(days=number))
            for table in world.tables:
                rows, before = rows_on(world, table), known[table]
                known[table] = now = by_key(table, rows)
                changed = by_key(table, rows_on(world, table, "_day = today()"))

                assert len(now) == len(rows), "a primary key is there twice"
                assert changed == {key: row for key, row in now.items() if before.get(key) != row}, table


def test_a_day_changes_a_little_of_everything() -> None:
    options = Options(day=DAY)
    before, after = state_of(options, DAY), state_of(options, DAY + timedelta(days=1))
    plan, new_plan = (by_key("PA_STUD_CPNT", state["PA_STUD_CPNT"]) for state in (before, after))
    labels, new_labels = by_key(LABELS, before[LABELS]), by_key(LABELS, after[LABELS])
    items, new_items = by_key("PA_CPNT", before["PA_CPNT"]), by_key("PA_CPNT", after["PA_CPNT"])
    people = by_key("PV_PARTNER_STUDENT", before["PV_PARTNER_STUDENT"])
    new_people = by_key("PV_PARTNER_STUDENT", after["PV_PARTNER_STUDENT"])
    done, new_done = (len(by_key("PA_CPNT_EVTHST", s["PA_CPNT_EVTHST"])) for s in (before, after))

    assert new_plan.keys() - plan.keys()
    assert 0 < len(plan.keys() - new_plan.keys()) < 0.01 * len(plan)
    assert any(new_plan[key]["REQ_DTE"] != row["REQ_DTE"] for key, row in plan.items() if key in new_plan)
    assert any(new_labels[key] != row for key, row in labels.items())
    assert any(row["NOTACTIVE"] == "N" and new_items[key]["NOTACTIVE"] == "Y" for key, row in items.items())
    assert any(row["NOTACTIVE"] == "N" and new_people[key]["NOTACTIVE"] == "Y" for key, row in people.items())
    assert new_people.keys() > people.keys()
    assert new_items.keys() > items.keys()
    assert new_done > done


def test_a_plan_row_that_goes_usually_leaves_a_completion() -> None:
    options = Options(day=DAY)
    before, after = state_of(options, DAY), state_of(options, DAY + timedelta(days=1))
    gone = by_key("PA_STUD_CPNT", before["PA_STUD_CPNT"]).keys() - by_key("PA_STUD_CPNT", after["PA_STUD_CPNT"])
    done = {tuple(list(row.values())[:3]) for row in after["PA_CPNT_EVTHST"] if row["COMPL_DTE"] >= "2026-11-05"}

    completed = {key for key in gone if key[:3] in done}

    assert 0 < len(gone - completed) < len(completed)


def test_the_same_options_give_the_same_world_and_another_seed_another() -> None:
    world = state_of(Options(day=DAY), DAY)

    assert state_of(Options(day=DAY), DAY) == world
    assert state_of(Options(day=DAY, seed=2), DAY)["PA_STUD_CPNT"] != world["PA_STUD_CPNT"]


def test_the_awkward_cases_are_in_every_world_of_the_usual_size() -> None:
    """A world without them would let a wrong reader pass."""
    state = state_of(Options(day=DAY), DAY)
    students, items = state["PV_PARTNER_STUDENT"], state["PA_CPNT"]
    labels = by_key(LABELS, state[LABELS])
    values = [row["LABEL_VALUE"] for row in labels.values()]
    titles = {row["CPNT_TITLE"] for row in items}
    labelled = {label for label, _ in labels}
    persons = Counter(row["PERSON_ID_EXTERNAL"] for row in students)
    revisions = Counter((row["CPNT_TYP_ID"], row["CPNT_ID"]) for row in items)
    listed = {row["CPNT_ID"]: row["CATALOG_ID"] for row in state["PA_CATALOG_ITEM"]}
    plan = {(row["STUD_ID"], row["CPNT_TYP_ID"], row["CPNT_ID"]) for row in state["PA_STUD_CPNT"]}
    history = state["PA_CPNT_EVTHST"]
    done = Counter((row["STUD_ID"], row["CPNT_TYP_ID"], row["CPNT_ID"]) for row in history)
    credit = {row["CMPL_STAT_ID"]: row["PROVIDE_CRDT"] for row in state["PA_CMPL_STAT"]}

    assert all(re.fullmatch(r"\d{8}|EX\d{6}", person) for person in persons)
    assert set(persons.values()) == {1, 2}
    assert any(person.startswith("0") for person in persons)
    assert {row["NOTACTIVE"] for row in students} == {row["NOTACTIVE"] for row in items} == {"Y", "N"}
    assert {1, 2, 3} <= set(revisions.values())
    assert len({key for _, key in revisions}) < len(revisions), "two types share an id"
    assert any(character in row["CPNT_ID"] for row in items for character in '"')
    assert all(any(mark in value for value in values) for mark in ('"', ",", "\n", "|", "☕", "\u0301"))
    assert "" in values
    assert any(title.startswith("Plain") for title in titles)
    assert any(title.startswith("label.") and title not in labelled for title in titles)
    assert {locale for _, locale in labels} == {"English", "German", "French"}
    assert "RETIRED" in listed.values()
    assert {row["CPNT_ID"] for row in items} - listed.keys()
    assert plan & done.keys()
    assert done.keys() - plan
    assert max(done.values()) > 1
    assert {credit.get(row["CMPL_STAT_ID"]) for row in history} == {"Y", "N", None}
    assert {len(row["REQ_DTE"]) for row in state["PA_STUD_CPNT"]} == {0, 10, 19}
    assert {row["RTYP_ID"] for row in state["PA_STUD_CPNT"]} == {"REQ", "REC", "OPT", ""}


def test_the_directory_plants_every_case_of_mapping(reader: Reader, keys: KeyFiles) -> None:
    generated = generate(reader.out, Options(day=DAY, key=keys.public))
    users = rows_of(generated.directory.read_bytes())
    persons = {row["PERSON_ID_EXTERNAL"] for row in state_of(Options(day=DAY), DAY)["PV_PARTNER_STUDENT"]}
    members = [row for row in users if row["userType"] == "Member"]
    enabled = Counter(row["employeeId"].strip().casefold() for row in members if row["accountEnabled"] == "true")
    disabled = {row["employeeId"] for row in members if row["accountEnabled"] == "false"}
    found = {person: enabled[person.casefold()] for person in persons}
    loose = {re.sub(r"[^0-9a-z]|^0+", "", re.sub(r"^\D+|\D", "", employee)).lstrip("0") for employee in enabled}

    assert list(users[0]) == ["id", "employeeId", "accountEnabled", "userType", "licensed"]
    assert len({row["id"] for row in users}) == len(users)
    assert Counter(found.values())[2] == 5, "ambiguous"
    assert len({person for person, count in found.items() if not count} & disabled) == 5
    assert sum(1 for person, count in found.items() if not count and person.lstrip("0") in loose) >= 5
    assert 0.9 < sum(count == 1 for count in found.values()) / len(persons) < 1
    assert {row["licensed"] for row in members} == {"true", "false"}
    assert any(row["employeeId"] == "" for row in users)


def test_a_stream_that_nobody_reads_to_its_end_ends() -> None:
    with World.of(Options(day=DAY, assignments=50_000)) as world:
        chunks = world.csv("SELECT * EXCLUDE (_day) FROM PA_STUD_CPNT")
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]

        assert world.count("FROM PA_STUD_CPNT") > 0
    assert "generate-csv" not in {thread.name for thread in threading.enumerate()}


def test_a_world_that_makes_no_sense_is_refused() -> None:
    for wrong in (
        {"learners": 0},
        {"assignments": -1},
        {"kinds": ()},
        {"day": date(2026, 10, 31)},
        {"day": date(2026, 11, 1), "kinds": (Kind.DELTA,)},
        {"customer": "a/b"},
    ):
        with pytest.raises(ValueError, match=r"must be|cannot|before|changed|customer"):
            Options(**{"day": DAY, **wrong})  # type: ignore[arg-type]
