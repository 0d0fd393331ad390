"""A few days of a tiny company, played by the real code, and stopped where a version may be followed by the next one.

Whoever upgrades does so at any moment: at rest, while a package comes in, between two messages of a run, or while a
run waits for somebody to approve it. No row of the company says anything about a person.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from infra.local.graph import GraphSimulator
from shared.domain.batches import Kind
from shared.domain.errors import Code, TransientError
from shared.domain.messages import (
    COMMANDS,
    MAP_LEARNERS,
    PUSH_COMPLETIONS,
    PUSH_RECORDS,
    Approve,
    Backfill,
    Collect,
    MapLearners,
    Process,
    PushCompletions,
    PushRecords,
    ReadInbox,
    Replay,
    Rerun,
    Stage,
)
from shared.pipeline import alerts, journal
from shared.pipeline.keep_poison import keep_poison
from shared.pipeline.write_back.push import push_completions
from shared.pipeline.write_back.read_inbox import read_inbox
from shared.pipeline.write_back.requests import post_batch
from shared.ports import RemoteFile
from tests import company
from tests.company import ADA, BEA, NOBODY, PEOPLE, Person, Rows, files
from tests.desk import NAME, START, Desk, DeskFolder
from tests.versions.store import Files, put, put_viva, take, take_viva
from tests.write_back.conftest import WRITE_BACK

SCENES = ("rest", "arriving", "midway", "halted", "sending")
DIRECTORY = (ADA, BEA, Person("", "V-400", "00000000-0000-4000-8000-0000000000d4", licensed=False))
LEARNERS = tuple(f"quokka-{number}" for number in range(8))
COURSE = {"titles": {"English": "Course"}, "launch_url": "https://courses.example/1"}
SCHEDULE = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}
UNLICENSED = Person("v-dee", "V-400", "")


@dataclass
class CutFolder(DeskFolder):
    """A folder whose connection breaks once a file has been read, and before anybody knows that it was whole."""

    has_read: bool = False
    reads: list[int] = field(default_factory=list)
    cuts: bool = True

    def stat(self, name: str) -> RemoteFile:
        if self.cuts and self.has_read:
            raise TransientError("The connection broke.")
        return super().stat(name)

    def read(self, name: str, *, offset_bytes: int, block_bytes: int) -> Iterator[bytes]:
        self.reads.append(offset_bytes)
        yield from super().read(name, offset_bytes=offset_bytes, block_bytes=block_bytes)
        self.has_read = True


def nameless(person: Person) -> dict[str, str]:
    """Return the row of somebody who has neither name nor address."""
    return company.student(person, EMAIL_ADDR="", FIRST_NAME="", LAST_NAME="")


def plan(person: Person, number: int, **values: str) -> dict[str, str]:
    return company.plan(person, number, **{"ADD_USER": "", "ASSGN_USER": "", **values})


def done(person: Person, number: int, **values: str) -> dict[str, str]:
    return company.done(person, number, **{"INST_NAME": "", "COMMENTS": "", "LST_UPD_USR": "", **values})


def first_tables() -> dict[str, Rows]:
    """Return the first full package: something for everybody, a row that cannot be read, somebody without a licence."""
    return {
        **company.rows(),
        "PV_PARTNER_STUDENT": [nameless(person) for person in (*PEOPLE, UNLICENSED)],
        "PA_CPNT": [company.item(number, CONTACT="") for number in range(1, 41)],
        "PA_STUD_CPNT": [
            *(plan(ADA, number) for number in range(1, 5)),
            plan(BEA, 1, ASSGN_USER=ADA.student),
            plan(BEA, 3),
            plan(NOBODY, 1),
            plan(UNLICENSED, 1),
            plan(BEA, 4, ASSGN_DTE="no day"),
            plan(ADA, 77),
        ],
        "PA_CPNT_EVTHST": [done(ADA, 5), done(BEA, 1), done(NOBODY, 5)],
    }


def later_tables() -> dict[str, Rows]:
    """Return the whole tables after the third day; the last two assignments came with one delta each."""
    tables = first_tables()
    gone, came = plan(ADA, 4), [plan(BEA, 5, ASSGN_DTE="2026-11-01"), plan(ADA, 6)]
    tables["PA_STUD_CPNT"] = [row for row in tables["PA_STUD_CPNT"] if row != gone] + came
    tables["PA_CPNT"] = [*tables["PA_CPNT"], company.item(41, CONTACT="")]
    tables["PA_CPNT_EVTHST"] = [*tables["PA_CPNT_EVTHST"], done(ADA, 2, COMPL_DTE="2026-11-01 09:00:00")]
    return tables


def play(folder: Path) -> tuple[dict[str, Files], dict[str, str]]:
    """Return what is stored in each scene, and every message by its name in the fixtures."""
    scenes: dict[str, Files] = {}
    with GraphSimulator(folder / "graph") as graph:
        company.make_directory(graph, folder, *DIRECTORY)
        desk = Desk(graph, {"mass_change_percent": 60})
        try:
            _three_days(desk)
            scenes["rest"] = _scene(desk, folder) | _to_come(desk)
        finally:
            desk.close()
    for name in SCENES[1:]:
        with on_desk(scenes["rest"], folder / name) as desk:
            {"arriving": _arriving, "midway": _midway, "halted": _halted, "sending": _sending}[name](desk)
            scenes[name] = _scene(desk, folder)
    return scenes, _messages(scenes)


@contextmanager
def on_desk(scene: Files, folder: Path) -> Iterator[Desk]:
    """Yield a desk that goes on from a scene, with all that the tenant holds."""
    folder.mkdir(exist_ok=True)
    with GraphSimulator(folder / "graph") as graph:
        (folder / "directory.csv").write_bytes(scene["directory.csv"])
        graph.load_directory(folder / "directory.csv")
        put_viva(scene["viva.json"], graph)
        desk = Desk(graph)
        try:
            put(scene, desk)
            yield desk
        finally:
            desk.close()


def _scene(desk: Desk, folder: Path) -> Files:
    directory = (folder / "directory.csv").read_bytes()
    return {**take(desk), "viva.json": take_viva(desk.simulator), "directory.csv": directory}


def _three_days(desk: Desk) -> None:
    """A full package, a delta with its keys package, one that is planned first, and what admins ask for."""
    desk.drop("acme_F_20261101000000.zip.pgp", files(first_tables()))
    first = desk.sync()
    assert first.outcome == "partial", first
    _ask(desk, Replay(connection=NAME, run_id=first.runs[0].run_id, sync_id=_later(desk)))
    desk.now = START + timedelta(days=1)
    tables = later_tables()
    late = {
        "PA_STUD_CPNT": tables["PA_STUD_CPNT"][-2:-1],
        "PA_CPNT": tables["PA_CPNT"][-1:],
        "PA_CPNT_EVTHST": tables["PA_CPNT_EVTHST"][-1:],
    }
    desk.drop("acme_D_20261102000000.zip.pgp", files(late))
    desk.drop("acme_K_20261102000000.zip.pgp", files({"PA_STUD_CPNT_K": tables["PA_STUD_CPNT"][:-1]}))
    assert desk.sync().outcome == "done"
    state = journal.get_state(desk.parts, NAME)
    assert state.committed is not None
    _ask(desk, Backfill(connection=NAME, sync_id=_later(desk), first=date(2026, 10, 1), last=date(2026, 10, 31)))
    _ask(desk, Rerun(connection=NAME, run_id=state.committed.run_id, sync_id=_later(desk)))
    desk.now = START + timedelta(days=2)
    desk.drop("acme_D_20261103000000.zip.pgp", files({"PA_STUD_CPNT": tables["PA_STUD_CPNT"][-1:]}))
    assert desk.sync(dry_run=True).outcome == "done"
    assert desk.sync().outcome == "done"
    lost = PushRecords(connection=NAME, run_id=first.runs[0].run_id, stage=Stage.CONTENTS, shard=0)
    keep_poison(desk.parts, PUSH_RECORDS, "m-1", lost.model_dump_json().encode(), desk.now)
    alerts.watch_all(desk.parts)


def _ask(desk: Desk, command: Replay | Backfill | Rerun) -> None:
    """Let the app do what an admin asks for."""
    desk.messages.send(COMMANDS, command.model_dump_json())
    ended = desk.deliver(command.sync_id)
    assert ended.outcome in ("done", "partial"), ended


def _later(desk: Desk) -> str:
    desk.now += timedelta(minutes=1)
    return journal.new_run_id(desk.now)


def _next_delta(desk: Desk) -> None:
    desk.now = START + timedelta(days=3)
    desk.drop("acme_D_20261104000000.zip.pgp", files(next_tables()))


def next_tables() -> Mapping[str, Rows]:
    """Return a delta that creates, changes and completes."""
    return {
        "PA_CPNT": [company.item(1, CPNT_TITLE="Course one", CONTACT="")],
        "PA_STUD_CPNT": [plan(ADA, 7), plan(BEA, 3, REQ_DTE="2027-01-01")],
        "PA_CPNT_EVTHST": [done(ADA, 3, COMPL_DTE="2026-11-03 09:00:00")],
    }


def _to_come(desk: Desk) -> Files:
    """Return packages of the days after: the same tables again, and a delta. They are kept with the rest."""
    known = set(desk.folder.files)
    desk.drop("acme_F_20261104000000.zip.pgp", files(later_tables()))
    desk.drop("acme_D_20261105000000.zip.pgp", files(next_tables()))
    return {f"to-come/{name}": desk.folder.files.pop(name) for name in set(desk.folder.files) - known}


def _arriving(desk: Desk) -> None:
    """The look has failed; what it brought is kept, block by block."""
    _next_delta(desk)
    folder = CutFolder(desk.folder.files)
    object.__setattr__(desk.parts, "folders", folder)
    assert desk.sync().outcome == "failed"
    assert desk.intake.blocks


def _midway(desk: Desk) -> None:
    """Contents are sent, and receipts of them are kept; activities are planned, and their message is in its queue."""
    _next_delta(desk)
    command = Collect(connection=NAME, sync_id=journal.new_run_id(desk.now))
    desk.messages.send(COMMANDS, command.model_dump_json())
    while not any('"stage":"activities"' in body and queue == PUSH_RECORDS for queue, body, _ in desk.messages.sent):
        queue, body, delay = desk.messages.sent.pop(0)
        desk.now += timedelta(seconds=delay)
        desk._handle(queue, body)


def _halted(desk: Desk) -> None:
    """More is withdrawn than the gate lets pass."""
    desk.now = START + timedelta(days=3)
    desk.drop("acme_F_20261104000000.zip.pgp", files({**later_tables(), "PA_STUD_CPNT": []}))
    assert desk.sync().outcome == "halted"


def _sending(desk: Desk) -> None:
    """Half of a batch has gone back to the LMS, another one has left somebody parked, and a file has been read."""
    desk.set(write_back={**WRITE_BACK, "completions_pace": {"requests": 2, "seconds": 60}})
    desk.lms.inactive = {LEARNERS[1]}
    _post(desk, Kind.COURSES, {"course_id": "X-1", **COURSE})
    _post(desk, Kind.COMPLETIONS, *(_completion(each) for each in LEARNERS[:2]))
    desk.parts.inbox.put(f"{NAME}/file.jsonl", json.dumps(_completion(LEARNERS[2])).encode())
    read_inbox(desk.parts, NAME)
    desk.messages.take()
    push_completions(desk.parts, PushCompletions(connection=NAME))
    desk.pass_time(60)
    _post(desk, Kind.COMPLETIONS, *(_completion(each, grade="A") for each in LEARNERS[3:]))
    _post(desk, Kind.COURSES, {"course_id": "X-2", **COURSE, "schedule": [SCHEDULE]})
    desk.messages.take()
    desk.lms.refuse = [TransientError("no answer", Code.LMS_UNREACHABLE)]
    push_completions(desk.parts, PushCompletions(connection=NAME))
    assert any("progress" in path for path in desk.parts.outbox.list_paths(""))
    assert any("parked" in path for path in desk.parts.outbox.list_paths(""))


def _post(desk: Desk, kind: Kind, *records: dict[str, Any]) -> None:
    assert post_batch(desk.parts, kind, json.dumps(records).encode(), {}, {}).status == 202
    desk.pass_time(1)


def _completion(learner: str, **values: object) -> dict[str, Any]:
    return {"learner": learner, "course_id": "X-1", "completed_at": "2026-10-30T10:00:00Z", **values}


def _messages(scenes: Mapping[str, Files]) -> dict[str, str]:
    """Return a message of every type, with all of its fields; and as short as it may be."""
    run, sync = (journal.new_run_id(START) for _ in range(2))
    whole = [
        Collect(connection=NAME, sync_id=sync, dry_run=True),
        Process(connection=NAME),
        Approve(connection=NAME, run_id=run, sync_id=sync, by="00000000-0000-4000-8000-0000000000ad"),
        Rerun(connection=NAME, run_id=run, sync_id=sync),
        Replay(connection=NAME, run_id=run, sync_id=sync, key="acme:COURSE"),
        Backfill(connection=NAME, sync_id=sync, first=date(2026, 10, 1), last=date(2026, 10, 31)),
        *(MapLearners(connection=NAME, run_id=run, stage=stage) for stage in Stage),
        *(PushRecords(connection=NAME, run_id=run, stage=stage, shard=0) for stage in Stage),
        ReadInbox(connection=NAME),
        PushCompletions(connection=NAME, due=START, sample=1, replay="*"),
    ]
    queues = {MapLearners: MAP_LEARNERS, PushRecords: PUSH_RECORDS, PushCompletions: PUSH_COMPLETIONS}
    found = {}
    for message in whole:
        kind = "-".join(filter(None, (type(message).__name__.lower(), getattr(message, "stage", ""))))
        queue = queues.get(type(message), COMMANDS)
        found[f"{queue}/{kind}.json"] = message.model_dump_json()
        needed = {name for name, each in type(message).model_fields.items() if each.is_required() or name == "command"}
        found[f"{queue}/{kind}.short.json"] = message.model_dump_json(include=needed)
    for name, scene in scenes.items():
        for number, each in enumerate(json.loads(scene["queues.json"])):
            found[f"{each['queue']}/{name}-{number}.json"] = json.dumps(each["body"])
    return found
