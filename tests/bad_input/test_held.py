"""Rows that were published and cannot be read today are held: absence proves nothing about them.

In packages of some hundred rows, where others have really gone.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from tests.bad_input.conftest import STORAGES, Published, Tenant, tenant_in
from tests.company import FULL, Person, Rows, as_csv, done, files, item, make_directory, plan, student
from tests.reference import COLUMNS
from tests.reference.contract import HISTORY, ITEMS, KEYS, PLAN, REQUIREMENTS, STATUSES, STUDENTS

pytestmark = pytest.mark.slow

PEOPLE = [Person(f"quokka-{n}", f"Quokka {n}", f"00000000-0000-4000-8000-{n:012}") for n in range(1, 25)]
BAD: Mapping[str, tuple[tuple[str, str], ...]] = {
    STUDENTS: (("NOTACTIVE", "perhaps"), ("LST_UPD_TSTMP", "soon")),
    ITEMS: (("CPNT_LEN", "soon"), ("NOTACTIVE", "perhaps"), ("CREATE_DTE", "31.12.2026"), ("LST_UPD_TSTMP", "0")),
    PLAN: (("REQ_DTE", "2026-02-30"), ("ASSGN_DTE", "31.12.2026"), ("LST_UPD_TSTMP", "soon")),
    HISTORY: (("LST_UPD_TSTMP", "soon"),),
    REQUIREMENTS: (("REQUIRED", "perhaps"),),
    STATUSES: (("PROVIDE_CRDT", "perhaps"),),
}
"""Faults that leave the key of a row readable, by table."""


def company() -> dict[str, Rows]:
    """360 assignments and 120 completions, on 60 items."""
    chance = Random(1)  # noqa: S311 - the same in every run
    tables: dict[str, Rows] = {
        STUDENTS: [student(person) for person in PEOPLE],
        ITEMS: [item(number) for number in range(60)],
        PLAN: [],
        REQUIREMENTS: [{"RTYP_ID": "MUST", "REQUIRED": "Y"}, {"RTYP_ID": "MAY", "REQUIRED": "N"}],
        HISTORY: [],
        STATUSES: [{"CMPL_STAT_ID": "OK", "CPNT_TYP_ID": "", "PROVIDE_CRDT": "Y"}],
    }
    for person in PEOPLE:
        numbers = chance.sample(range(60), 20)
        tables[PLAN] += [plan(person, n, RTYP_ID=chance.choice(("MUST", "MAY", ""))) for n in numbers[:15]]
        tables[HISTORY] += [done(person, n) for n in numbers[15:]]
    return tables


WHOLE = company()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("held")
    with tenant_in(folder) as tenant:
        make_directory(tenant.graph, folder, *PEOPLE)
        tenant.desk.drop(FULL, files(WHOLE))
        assert tenant.desk.sync().outcome == "done"
        parts = tenant.desk.parts
        storages = {each.name: getattr(parts, each.name) for each in fields(parts) if each.name in STORAGES}
    return Published(folder / "graph", storages)


@pytest.fixture
def tenant(published: Published, tmp_path: Path) -> Iterator[Tenant]:
    """All of the company is published, and no number is too large to go on."""
    shutil.copytree(published.folder, tmp_path / "graph")
    with tenant_in(tmp_path, deepcopy(published.storages)) as tenant:
        tenant.desk.set(mass_change_percent=100, reject_limit_percent=100)
        yield tenant


def keys(table: str, content: Rows) -> Rows:
    return [{name: row[name] for name in KEYS[table] if name in row} for row in content]


def spoil(chance: Random, table: str, row: dict[str, str]) -> dict[str, str]:
    column, value = chance.choice(BAD[table])
    return {**row, column: value}


def lines_of(tenant: Tenant, content: Rows) -> Counter[str]:
    """Return what Viva Learning shows of these assignments."""
    ids = {person.student: person.user_id for person in PEOPLE}
    wanted = {(ids[row["STUD_ID"]], f"COURSE:{row['CPNT_ID']}") for row in content}
    shown = [(line, json.loads(line)) for line in tenant.viva().splitlines()]
    return Counter(
        line
        for line, record in shown
        if record["_type"] == "learningAssignment" and (record["learnerUserId"], record["_contentExternalId"]) in wanted
    )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", ["full", "delta"])
def test_rows_that_cannot_be_read_are_held_while_those_that_are_missing_go(
    tenant: Tenant, kind: Literal["full", "delta"], seed: int
) -> None:
    """Nothing about them changes, whatever the list of keys says; until a package is whole without them."""
    chance = Random(seed)  # noqa: S311 - the same in every run
    plans = chance.sample(WHOLE[PLAN], len(WHOLE[PLAN]))
    gone, unread, rest = plans[:60], plans[60:180], plans[180:]
    good: dict[str, Rows] = {}
    bad: dict[str, Rows] = {}
    for table, content in {**WHOLE, PLAN: unread + rest}.items():
        bad[table] = unread if table == PLAN else [row for row in content if chance.random() < 1 / 3]
        good[table] = [row for row in content if row not in bad[table]]
    spoiled = {table: [spoil(chance, table, row) for row in content] for table, content in bad.items()}
    before = Counter(tenant.viva().splitlines())
    goes = lines_of(tenant, gone)

    if kind == "full":
        tenant.full(2, **{table: good[table] + spoiled[table] for table in WHOLE}, PV_I18N_ACTIVE_LOCALE_LABEL=None)
    else:
        tenant.delta(2, **spoiled)
        tenant.keys(2, **{table: keys(table, good[table] + bad[table][::2]) for table in WHOLE})
    sync = tenant.desk.sync()

    assert (sync.outcome, sync.runs[0].changes.assignments.withdraw) == ("partial", len(gone))
    assert sync.runs[0].reject_count == sum(map(len, bad.values()))
    assert goes.total() == len(gone)
    assert Counter(tenant.viva().splitlines()) == before - goes

    goes += lines_of(tenant, unread)
    tenant.full(3, **{**WHOLE, PLAN: rest}, PV_I18N_ACTIVE_LOCALE_LABEL=None)
    assert tenant.desk.sync().outcome == "done"
    assert Counter(tenant.viva().splitlines()) == before - goes


WIDTH = len(COLUMNS[PLAN])
UNREADABLE = {
    "an empty key": ",COURSE,C-1,2025-01-01,1" + "," * (WIDTH - 5),
    "too few fields": "quokka-1,COURSE",
    "an open quote": 'quokka-1,COURSE,"C-1,2025-01-01,1' + "," * (WIDTH - 5),
    "a NUL": "quokka-1,COURSE,C-1,2025-01-01,1" + "," * (WIDTH - 5) + "\0",
}


@pytest.mark.parametrize(
    ("fault", "place"),
    [*((fault, "full") for fault in UNREADABLE), ("too few fields", "delta"), ("a NUL", "delta"), ("a NUL", "keys")],
)
def test_a_single_row_whose_key_is_unreadable_holds_its_whole_table(tenant: Tenant, fault: str, place: str) -> None:
    """It may be any of the hundred that are missing; items, which are in another table, go all the same."""
    chance = Random(place + fault)  # noqa: S311 - the same in every run
    rest = chance.sample(WHOLE[PLAN], 260)
    items = chance.sample(WHOLE[ITEMS], 50)
    line = UNREADABLE[fault].encode() + b"\r\n"
    activities = activities_of(tenant)

    tables: dict[str, Rows | bytes | None]
    if place == "full":
        tables = {**WHOLE, ITEMS: items, PLAN: as_csv(PLAN, rest) + line}
        tenant.full(2, **tables, PV_I18N_ACTIVE_LOCALE_LABEL=None)
    else:
        tables = {ITEMS: items, PLAN: as_csv(PLAN, rest[:100]) + (line if place == "delta" else b"")}
        tenant.delta(2, **tables)
        listed = as_csv(f"{PLAN}_K", keys(PLAN, rest)) + (line if place == "keys" else b"")
        tables = {ITEMS: keys(ITEMS, items), PLAN: listed}
        tenant.keys(2, **tables)
    sync = tenant.desk.sync()

    assert sync.outcome == "partial"
    assert sync.runs[0].changes.assignments.withdraw == 0
    assert activities_of(tenant) == activities
    contents = [json.loads(line) for line in tenant.viva().splitlines()]
    off = {each["externalId"] for each in contents if each["_type"] == "learningContent" and not each["isActive"]}
    assert off == {f"COURSE:{row['CPNT_ID']}" for row in WHOLE[ITEMS] if row not in items}


def activities_of(tenant: Tenant) -> list[str]:
    return [line for line in tenant.viva().splitlines() if '"learningContent"' not in line]
