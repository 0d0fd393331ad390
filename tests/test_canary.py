"""People leave no trace: whatever a package says about somebody is nowhere to be found once it has been processed.

Neither in what is kept nor in what is told, whether all went well or not, whether in plain text or in a form that
anybody could turn back. Only hashes under the connector's own key may stand for a person.
"""

import gzip
import hashlib
import json
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from infra.local.connection import NAME
from infra.local.generate import make_keys, write_package
from infra.local.given import Given
from infra.local.report import make_report
from infra.local.sync import Ending, wait
from infra.local.tenant import Tenant
from shared.domain.errors import Code
from shared.domain.runs import Outcome
from shared.pipeline import journal
from tests.company import (
    ADA,
    BEA,
    NOBODY,
    RARE,
    Person,
    as_csv,
    done,
    files,
    full,
    item,
    make_directory,
    plan,
    rows,
    student,
)

CAI = Person("7391846205", "58203914", "00000000-0000-4000-8000-0000000000c3")
"""Somebody whose ids are numbers, as they mostly are."""
SECRETS = (
    RARE,
    CAI.student,
    CAI.key,
    *("Zygmuntowicz", "zygmuntowicz@mail.example"),
)
HASHED = tuple(text for person in (ADA, BEA, NOBODY, CAI) for text in (person.student, person.key, person.email))
SYNC_SECONDS = 90


# The search


def base64_of(text: bytes) -> Iterator[bytes]:
    """Yield what stands in base64 wherever the text may begin in it."""
    for before in range(3):
        encoded = b64encode(bytes(before) + text)
        yield encoded[(before * 8 + 5) // 6 : (before + len(text)) * 8 // 6]


def needles() -> dict[bytes, str]:
    """What to look for, and what it would mean; capitals count in base64 only."""
    found: dict[bytes, str] = {}
    for secret in SECRETS:
        for text in {secret, secret.lower(), secret.upper(), secret.capitalize()}:
            found |= {text.lower().encode(): secret, text.encode().hex().encode(): f"hex of {secret}"}
            found |= {text.lower().encode("utf-16-le"): f"UTF-16 of {secret}"}
            found |= dict.fromkeys(base64_of(text.encode()), f"base64 of {secret}")
    for secret in HASHED:
        for text in {secret, secret.lower(), secret.upper()}:
            for make in (hashlib.sha256, hashlib.sha1, hashlib.md5):
                found[make(text.encode()).hexdigest()[:16].encode()] = f"{make().name} of {secret}"
    return found


NEEDLES = needles()


def betrayals(content: bytes) -> set[str]:
    """Say what of anybody is found, in whatever form."""
    texts = (content, content.lower(), content.lower().replace(b"-", b""))
    return {meaning for needle, meaning in NEEDLES.items() if any(needle in text for text in texts)}


def unpacked(content: bytes, folder: Path) -> bytes:
    """Undo what would hide a text: gzip, Parquet, zip."""
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if content.startswith(b"PAR1"):
        file = folder / "unpacked.parquet"
        file.write_bytes(content)
        with duckdb.connect() as engine:
            found = engine.execute(f"select columns(*)::varchar from read_parquet('{file}')").fetchall()
            return str(found).encode()
    if content.startswith(b"PK"):
        with ZipFile(BytesIO(content)) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return content


def kept(tenant: Tenant, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all that the connector has written, but for the sealed packages, by its place."""
    connection = tenant.azurite.connection_string
    with BlobServiceClient.from_connection_string(connection) as blobs:
        for container in blobs.list_containers():
            client = blobs.get_container_client(container.name)
            for blob in client.list_blobs(include=["metadata", "snapshots", "uncommittedblobs"]):
                place = f"{container.name}/{blob.name}"
                yield place, f"{place} {blob.metadata}".encode()
                if container.name != "sealed" and not blob.snapshot:
                    content = client.download_blob(blob.name).readall()
                    yield place, content
                    yield place, unpacked(content, folder)
    with TableServiceClient.from_connection_string(connection) as tables:
        for table in tables.list_tables():
            for entity in tables.get_table_client(table.name).list_entities():
                yield table.name, str(entity).encode()
    with QueueServiceClient.from_connection_string(connection) as queues:
        for queue in queues.list_queues():
            for message in queues.get_queue_client(queue.name).peek_messages(32):
                yield queue.name, b64decode(message.content)
    for file in tenant.state.rglob("*"):
        # The emulator's own files hold what was deleted, too.
        if file.is_file() and "simulators" not in file.parts:
            yield str(file), file.read_bytes()


def test_the_search_would_find_somebody_in_any_form(tmp_path: Path) -> None:
    """Otherwise finding nothing would prove nothing."""
    secret = CAI.key.encode()
    parquet = tmp_path / "some.parquet"
    with duckdb.connect() as engine:
        engine.execute(f"copy (select 1 as a, 'x {CAI.key}' as b) to '{parquet}' (format parquet, compression zstd)")
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("some.csv", secret)

    assert betrayals(b"Quokka Contact") == {RARE}
    assert betrayals(b'{"a": "' + secret.hex().upper().encode() + b'"}') == {f"hex of {CAI.key}"}
    assert betrayals(hashlib.sha256(secret).hexdigest().encode()) == {f"sha256 of {CAI.key}"}
    for before in range(6):
        assert betrayals(b64encode(b"." * before + secret + b"...")) == {f"base64 of {CAI.key}"}
    for content in (gzip.compress(b"x " + secret), parquet.read_bytes(), packed.getvalue()):
        assert betrayals(unpacked(content, tmp_path)) == {CAI.key}
    assert betrayals(b"nobody") == set()


# The packages


def stamped(day: int, kind: str = "D") -> str:
    return f"acme_{kind}_202611{day:02d}000000.zip.pgp"


def bad_rows() -> dict[str, bytes]:
    """Say about everybody all that a row may say, and break rows in every way, so that they are talked about."""
    people = [*rows()["PV_PARTNER_STUDENT"], student(CAI, FIRST_NAME="Cai", LAST_NAME="Zygmuntowicz")]
    people += [
        student(CAI, STUD_ID="quokka-long", PERSON_ID_EXTERNAL="quokka-58203914-7391846205"),
        student(CAI, STUD_ID="quokka-none", PERSON_ID_EXTERNAL=""),
        student(ADA, EMAIL_ADDR="zygmuntowicz@mail.example"),
        student(BEA, NOTACTIVE="zygmuntowicz@mail.example"),
    ]
    plans = [
        *rows()["PA_STUD_CPNT"],
        plan(CAI, 1),
        plan(CAI, 3, REQ_DTE="Zygmuntowicz", ASSGN_DTE=CAI.key),
        plan(CAI, 4, CPNT_ID=""),
        plan(CAI, 5, CPNT_ID="nul\0 Zygmuntowicz"),
    ]
    history = [
        *rows()["PA_CPNT_EVTHST"],
        done(CAI, 1, INST_NAME="Zygmuntowicz", COMMENTS=f"ask {CAI.key} or {CAI.email}"),
        done(CAI, 2, COMPL_DTE="zygmuntowicz@mail.example"),
        done(CAI, 3, COMPL_DTE=""),
        done(CAI, 4, TOTAL_HRS=CAI.key, GRADE="Zygmuntowicz"),
        done(CAI, 4),
    ]
    tables = full(PV_PARTNER_STUDENT=people, PA_STUD_CPNT=plans, PA_CPNT_EVTHST=history)
    malformed = f'7391846205,COURSE,"C-1\n{CAI.key},a,b\n{CAI.student},Zygmuntowicz\n'
    tables["PA_STUD_CPNT.csv"] += malformed.encode()
    return tables


def without_header(table: str, content: list[dict[str, str]]) -> bytes:
    return as_csv(table, content).partition(b"\r\n")[2]


@pytest.mark.slow
def test_nobody_is_found_in_what_is_kept_or_told(tmp_path: Path) -> None:
    """One sync of a full package with bad rows, one of deltas, most of which cannot be read to their end."""
    keys = make_keys(tmp_path / "keys", bits=2048, quick=True)
    sftp = tmp_path / "sftp"
    sftp.mkdir()

    def drop(name: str, tables: dict[str, bytes]) -> Path:
        write_package(sftp / name, tables, keys.public)
        return sftp / name

    drop(stamped(1, "F"), bad_rows())
    with Tenant(tmp_path / "state", datetime(2026, 11, 12, 8, tzinfo=UTC)) as tenant:
        make_directory(tenant.graph, tmp_path, ADA, BEA, CAI)
        tenant.configure(
            Given(sftp=sftp, private_keys=(keys.private.read_text(),), passphrases=(keys.passphrase.read_text(),))
        )
        tenant.set("reject_limit_percent", 100)
        tenant.set("mass_change_percent", 100)
        told = [sync(tenant)]
        (run,) = told[0].runs

        assert run.outcome is Outcome.PARTIAL
        assert run.reject_count >= 8
        assert run.coverage.mapped == 3
        assert_nobody(tenant, told, tmp_path)

        drop(stamped(2), files({"PA_STUD_CPNT": [plan(CAI, 5)], "PA_CPNT_EVTHST": [done(CAI, 3)]}))
        drop(
            stamped(2, "K"),
            {"PA_STUD_CPNT_K.csv": as_csv("PA_STUD_CPNT", [plan(CAI, 5), plan(ADA, 1)])},
        )
        damaged = drop(stamped(3), files({"PV_PARTNER_STUDENT": [student(CAI, NOTACTIVE="Y")]}))
        damaged.write_bytes(damaged.read_bytes()[:-20])
        drop(stamped(4), {"PV_PARTNER_STUDENT.csv": without_header("PV_PARTNER_STUDENT", [student(CAI), student(ADA)])})
        people = as_csv("PV_PARTNER_STUDENT", [student(CAI)])
        drop(stamped(5), {"PV_PARTNER_STUDENT.csv": people, "copy/PV_PARTNER_STUDENT.csv": people})
        drop(stamped(6), {"PA_STUD_CPNT.csv": as_csv("PA_STUD_CPNT", [plan(CAI, 1)], without=["CPNT_ID"])})
        drop(stamped(7), {"PV_PARTNER_STUDENT.csv": people.replace(b",", b";")})
        drop(stamped(8), files({"PA_CPNT": [item(9, CPNT_LEN="Zygmuntowicz", REV_DTE="quokka")]}))
        told.append(sync(tenant))

        assert {run.package: (run.outcome, run.code) for run in told[1].runs} == {
            stamped(2): (Outcome.DONE, None),
            stamped(3): (Outcome.REJECTED, Code.PACKAGE_DAMAGED),
            stamped(4): (Outcome.PARTIAL, None),
            stamped(5): (Outcome.REJECTED, Code.FILE_AMBIGUOUS),
            stamped(6): (Outcome.PARTIAL, None),
            stamped(7): (Outcome.PARTIAL, None),
            stamped(8): (Outcome.PARTIAL, None),
        }
        assert_nobody(tenant, told, tmp_path)


def sync(tenant: Tenant) -> Ending:
    """Sync with a worker that says all that it says in Azure."""
    tenant.start_worker(scheduled=True)
    sync_id = tenant.collect()
    row = wait(tenant, sync_id, deadline=time.monotonic() + SYNC_SECONDS)
    tenant.stop_worker()
    runs = tuple(run for run in journal.list_runs(tenant.parts, NAME) if run.sync_id == sync_id)
    tenant.export_rejects(runs)
    return Ending(Outcome(row["outcome"]), None, str(row["message"]), runs)


def assert_nobody(tenant: Tenant, told: list[Ending], folder: Path) -> None:
    places = list(kept(tenant, folder))
    places += [(f"report {number}", json.dumps(make_report(each)).encode()) for number, each in enumerate(told)]
    places += [(f"runs {number}", str(each).encode()) for number, each in enumerate(told)]
    names = "\n".join(place for place, _ in places)

    for expected in (r"tables/.*\.parquet", r"records/.*\.parquet", r"pushes/.*\.gz", r"reports/.*\.csv", r"host\.log"):
        assert re.search(expected, names), f"{expected} was not looked into"
    assert {place: found for place, content in places if (found := betrayals(content))} == {}
