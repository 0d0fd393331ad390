"""Nothing about a person stays: packages full of rare words, and then a search through all that was kept.

What may be known is the id of a mapped user in Entra, where his records are, and hashes under the connector's key.
"""

import gzip
import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import duckdb
import pytest

from infra.local.graph import Faults
from tests.bad_input.conftest import Tenant, tenant_in
from tests.company import ADA, BEA, FULL, NOBODY, PEOPLE, as_csv, betrays, done, full, item, plan, rows, student
from tests.fakes import MemoryBlobs, MemoryDocuments, MemoryTable

SEALED = {"sealed", "intake"}
"""Where the package itself lies, which is encrypted anywhere but on this desk."""
SERVERS = ("uvicorn", "asyncio")
"""Loggers of the simulator: it plays Graph, whose own logs are Graph's."""
MAY_NAME_USERS = {"records", "tables", "pushes", "directory"}

PARQUET = b"PAR1"
GZIP = b"\x1f\x8b"


@cache
def as_text(content: bytes, folder: Path) -> str:
    """Return what can be read of a blob, whatever its format."""
    if content.startswith(PARQUET):
        path = folder / "blob.parquet"
        path.write_bytes(content)
        found = duckdb.execute("select columns(*)::varchar from read_parquet(?)", [str(path)])
        return "\n".join(str(row) for row in [found.description, *found.fetchall()])
    if content.startswith(GZIP):
        content = gzip.decompress(content)
    return content.decode(errors="replace")


def kept(tenant: Tenant) -> Iterator[tuple[str, str]]:
    """Yield all that is in storage, as text, each with its place."""
    for part in fields(tenant.desk.parts):
        storage = getattr(tenant.desk.parts, part.name)
        match storage:
            case MemoryBlobs() if part.name not in SEALED:
                for path, content in storage.content.items():
                    yield f"{part.name}/{path}", f"{path} {as_text(content, tenant.folder)}"
            case MemoryDocuments():
                for name in storage.list_names():
                    yield f"{part.name}/{name}", f"{name} {storage.find(name)}"
            case MemoryTable():
                yield f"{part.name}/", json.dumps(storage.rows)


class Witness:
    """Sees every message and log line, and searches storage when it is asked to."""

    def __init__(self, tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
        self._tenant = tenant
        self._caplog = caplog
        self._messages: list[str] = []
        self.places: set[str] = set()
        send = tenant.desk.messages.send

        def note(queue: str, body: str, *, delay_seconds: float = 0) -> None:
            self._messages.append(body)
            send(queue, body, delay_seconds=delay_seconds)

        tenant.desk.messages.send = note  # type: ignore[method-assign]  # to see what passes

    def search(self, when: str) -> None:
        """See that nothing betrays anybody, and that Entra's ids are only where records are."""
        records = (each for each in self._caplog.records if not each.name.startswith(SERVERS))
        lines = [f"{each.getMessage()} {each.exc_text or ''}" for each in records]
        spoken = {"messages": "\n".join(self._messages), "log": "\n".join(lines)}
        for place, text in [*kept(self._tenant), *spoken.items()]:
            container = place.partition("/")[0]
            self.places.add(container)
            assert betrays(text) == [], f"{when}: {place}"
            if container not in MAY_NAME_USERS:
                assert not [person for person in PEOPLE if person.user_id and person.user_id in text], (
                    f"{when}: {place}"
                )


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with tenant_in(tmp_path) as tenant:
        tenant.people(ADA, replace(BEA, licensed=False))
        yield tenant


def test_nothing_about_a_person_stays(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever happens: a full, a delta with every kind of bad row, keys, refused packages, Graph in trouble."""
    caplog.set_level(logging.DEBUG)
    witness = Witness(tenant, caplog)

    tenant.desk.drop(FULL, full())
    assert tenant.desk.sync().outcome == "done"
    witness.search("after a full")

    tenant.desk.set(reject_limit_percent=100)
    tenant.delta(
        2,
        PV_PARTNER_STUDENT=[
            student(ADA, NOTACTIVE="quokka"),
            student(BEA),
            student(NOBODY, PERSON_ID_EXTERNAL="quokka-is-too-long-for-this"),
            student(ADA, STUD_ID=""),
        ],
        PA_STUD_CPNT=[plan(ADA, 5), plan(BEA, 5), plan(NOBODY, 5), plan(ADA, 2, REQ_DTE="Quokka's birthday")],
        PA_CPNT_EVTHST=as_csv(
            "PA_CPNT_EVTHST", [done(ADA, 3), done(BEA, 4), done(NOBODY, 2), done(BEA, 3, COMPL_DTE="quokka")]
        )
        + b'quokka,"quokka"quokka\nquokka,too few\nquokka,\0quokka\n"quokka,never closed\n',
        PA_CPNT=[item(6), item(7, CPNT_LEN="quokka"), item(8, REV_DTE="quokka")],
        PA_RQMT_TYPE=[{"RTYP_ID": "R", "REQUIRED": "quokka"}],
    )
    tenant.keys(2, PA_STUD_CPNT=[{**plan(ADA, 5), "CPNT_ID": ""}, plan(NOBODY, 1)])
    assert tenant.desk.sync().outcome == "partial"
    witness.search("after a delta with bad rows")

    tenant.people(ADA, BEA)
    tenant.full(3, PA_STUD_CPNT=[])
    assert tenant.desk.sync(dry_run=True).outcome == "halted"
    halted = tenant.desk.sync()
    assert halted.outcome == "halted"
    witness.search("at a gate")
    tenant.desk.approve(halted.runs[0].run_id)
    witness.search("after an approval")

    tenant.graph.inject(Faults(area="learning", fail=10_000, fail_status=500))
    tenant.full(4, PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(BEA, 2), plan(NOBODY, 2)])
    assert tenant.desk.sync().outcome == "failed"
    witness.search("while Graph fails")
    tenant.graph.inject(Faults(max_lengths={"notes": 1, "format": 3}))
    tenant.desk.sync()
    witness.search("after single records were refused")
    tenant.graph.inject(Faults())

    tenant.desk.set(reject_limit_percent=0)
    tenant.full(5, PV_PARTNER_STUDENT=[student(ADA, NOTACTIVE="quokka")])
    assert tenant.desk.sync().outcome == "rejected"
    tenant.full(6)
    tenant.desk.folder.files["acme_F_20261106000000.zip.pgp"] = b"quokka quokka quokka"
    assert tenant.desk.sync().outcome == "rejected"
    witness.search("after refused packages")

    assert witness.places >= {
        "records",
        "tables",
        "pushes",
        "reports",
        "directory",
        "ledger",
        "runs",
        "messages",
        "log",
    }


def test_the_search_finds_what_there_is_to_find(tenant: Tenant) -> None:
    """It would have to be in a column of a Parquet file, in a compressed shard, or hashed without a key."""
    tenant.desk.drop(FULL, full())
    tenant.desk.sync()
    path = tenant.folder / "leak.parquet"
    duckdb.sql(f"copy (select 1 as id, 'Quokkalina' as name) to '{path}' (format parquet, compression zstd)")

    assert betrays(as_text(path.read_bytes(), tenant.folder))
    assert betrays(as_text(gzip.compress(b'{"who": "quokka-ada"}'), tenant.folder))
    assert betrays("0f2d9c4e03b0a8f6 " + hashlib.sha256(ADA.key.encode()).hexdigest())
    (sealed,) = tenant.desk.intake.packages.values()
    assert not betrays(sealed.hex())
    users = [place for place, text in kept(tenant) if ADA.user_id in text]
    assert {place.partition("/")[0] for place in users} == MAY_NAME_USERS


def test_rows_of_unmapped_learners_are_forgotten_after_a_while(tenant: Tenant) -> None:
    """Not even their hashes stay for ever; with 0 days they are not kept at all."""
    tenant.desk.set(unmapped_retention_days=0)
    tenant.desk.drop(FULL, full())

    tenant.desk.sync()

    state = tenant.desk.parts.states.find("desk")
    assert state is not None
    (part,) = state.value["tables"]["PA_STUD_CPNT"]
    plans = tenant.desk.parts.tables.get(part["path"])
    path = tenant.folder / "plans.parquet"
    path.write_bytes(plans)
    found = duckdb.execute("select count(distinct STUD_ID), count(*) from read_parquet(?)", [str(path)])
    assert found.fetchall() == [(2, 5)]
