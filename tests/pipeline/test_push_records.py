"""Shards are sent to the simulator of Graph, through the real client, and killed wherever that hurts."""

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.graph import PROVIDER_ID, Faults, GraphSimulator
from shared.adapters.graph import HttpxGraph
from shared.domain.connection import Connection
from shared.domain.errors import BusyError, Code, SettingsError
from shared.domain.messages import PushRecords, Stage
from shared.domain.plan import Act, Operation, Receipt, Verdict
from shared.pipeline.push_records import Progress, is_stage_done, push_shard
from shared.ports import Answer, Call, Graph
from tests.fakes import MemoryBlobs, MemoryLeases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEARNER, UNLICENSED, STRANGER = (f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2, 9))
CONNECTION = Connection.model_validate(
    {
        "configuration_id": "acme",
        "sftp": {"host": "sftp.example", "user": "u", "host_key": "ssh-ed25519 AAAA"},
        "viva": {
            "provider_id": PROVIDER_ID,
            "bizx_host": "hcm.example",
            "learning_host": "lms.example",
            "company_id": "acme",
        },
    }
)
ONE_BY_ONE = CONNECTION.model_copy(update={"viva": CONNECTION.viva.model_copy(update={"batch": False})})


class FixedToken:
    def get_token(self, scope: str, *, fresh: bool = False) -> str:
        return f"{scope}-{fresh}"


class Tenant:
    """A simulator with a content, a client, and a container of shards."""

    def __init__(self, simulator: GraphSimulator, graph: HttpxGraph, folder: Path) -> None:
        self.simulator = simulator
        self.graph = graph
        self.shards = MemoryBlobs()
        self.leases = MemoryLeases()
        self._folder = folder
        self._runs = 0
        self.content_id = ""

    def plan(self, operations: Sequence[Operation], stage: Stage = Stage.ACTIVITIES) -> PushRecords:
        self._runs += 1
        message = PushRecords(connection="acme", run_id=f"run-{self._runs}", stage=stage, shard=0)
        lines = "\n".join(operation.model_dump_json() for operation in operations)
        path = f"acme/{message.run_id}/{stage}/shard-00000.ndjson.gz"
        self.shards.put(path, gzip.compress(lines.encode()))
        return message

    def push(
        self, message: PushRecords, connection: Connection = CONNECTION, graph: Graph | None = None
    ) -> Progress:
        return push_shard(
            message,
            connection=connection,
            shards=self.shards,
            graph=graph or self.graph,
            leases=self.leases,
            now=NOW,
        )

    def receipts(self, message: PushRecords) -> dict[int, Receipt]:
        prefix = f"acme/{message.run_id}/{message.stage}/shard-00000.receipts-"
        lines = [
            line for path in self.shards.list_paths(prefix) for line in self.shards.get(path).splitlines()
        ]
        found = [Receipt.model_validate_json(line) for line in lines]
        assert len({receipt.number for receipt in found}) == len(found)
        return {receipt.number: receipt for receipt in found}

    def verdicts(self, message: PushRecords) -> list[Verdict]:
        return [receipt.verdict for _, receipt in sorted(self.receipts(message).items())]

    def held(self, kind: str = "externalcourseActivityId") -> dict[str, dict[str, Any]]:
        """What Viva holds by external id; each only once."""
        file = self._folder / "viva.ndjson"
        self.simulator.export_viva(file)
        values = [json.loads(line) for line in file.read_text().splitlines()]
        found = [value for value in values if kind in value]
        assert len({value[kind] for value in found}) == len(found)
        return {value[kind]: value for value in found}

    def create(self, number: int, key: str, learner: str = LEARNER, **more: Any) -> Operation:  # noqa: ANN401
        body = {
            "@odata.type": "#microsoft.graph.learningAssignment",
            "learnerUserId": learner,
            "learningContentId": self.content_id,
            "learningProviderId": PROVIDER_ID,
            "externalcourseActivityId": key,
            "assignmentType": "required",
            "status": "notStarted",
            **more,
        }
        person = int(learner[0])
        return Operation(number=number, act=Act.CREATE, key=key, person=person, body=body)

    def update(self, number: int, key: str, graph_id: str | None, **more: Any) -> Operation:  # noqa: ANN401
        operation = self.create(number, key, **more)
        return operation.model_copy(update={"act": Act.UPDATE, "graph_id": graph_id})

    def ids(self, *keys: str) -> list[str]:
        """Create activities and return their ids."""
        message = self.plan([self.create(number, key) for number, key in enumerate(keys)])
        assert self.push(message).done
        return [receipt.graph_id or "" for _, receipt in sorted(self.receipts(message).items())]


@pytest.fixture(scope="module")
def tenant_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    folder = tmp_path_factory.mktemp("graph")
    lines = ["id,employeeId,accountEnabled,userType,licensed"]
    lines += [f"{LEARNER},1,true,Member,true", f"{UNLICENSED},2,true,Member,false"]
    (folder / "users.csv").write_text("\n".join(lines))
    with GraphSimulator(folder / "state") as simulator:
        simulator.load_directory(folder / "users.csv")
        client = HttpxGraph(simulator.url, FixedToken(), timeout_seconds=10, scope="scope", clock=lambda: NOW)
        with closing(client) as graph:
            tenant = Tenant(simulator, graph, folder)
            message = tenant.plan([_content(0, "C'1 / é")], Stage.CONTENTS)
            assert tenant.push(message).done
            tenant.content_id = tenant.receipts(message)[0].graph_id or ""
            yield tenant


@pytest.fixture
def tenant(tenant_of_module: Tenant) -> Iterator[Tenant]:
    yield tenant_of_module
    tenant_of_module.simulator.inject(Faults())
    assert tenant_of_module.simulator.duplicate_activities() == 0


def _content(number: int, key: str, **more: Any) -> Operation:  # noqa: ANN401
    body = {"title": key, "contentWebUrl": "https://lms.example/1", "languageTag": "en-us", **more}
    return Operation(number=number, act=Act.UPSERT_CONTENT, key=key, body=body)


def _delete(number: int, key: str, graph_id: str) -> Operation:
    return Operation(number=number, act=Act.DELETE, key=key, graph_id=graph_id, person=1)


@pytest.mark.parametrize("connection", [CONNECTION, ONE_BY_ONE])
def test_every_kind_of_operation_gets_its_receipt(tenant: Tenant, connection: Connection) -> None:
    mode = str(connection.viva.batch)
    gone, old = tenant.ids(f"gone-{mode}", f"old-{mode}")
    message = tenant.plan(
        [
            tenant.create(0, f"new-{mode}"),
            tenant.update(1, f"old-{mode}", old, status="inProgress"),
            _delete(2, f"gone-{mode}", gone),
        ]
    )

    progress = tenant.push(message, connection)

    assert progress == Progress(done=True)
    assert tenant.verdicts(message) == [Verdict.DONE] * 3
    held = tenant.held()
    assert tenant.receipts(message)[0].graph_id == held[f"new-{mode}"]["id"]
    assert held[f"old-{mode}"]["status"] == "inProgress"
    assert f"gone-{mode}" not in held


def test_what_is_done_is_not_sent_again(tenant: Tenant) -> None:
    """Messages are delivered at least once."""
    message = tenant.plan([tenant.create(0, "twice")])
    tenant.push(message)
    tenant.simulator.reset_counters()

    assert tenant.push(message) == Progress(done=True)

    assert tenant.simulator.counters().requests == 0


def test_one_worker_at_a_time(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(0, "held")])
    with (
        tenant.leases.hold(f"push/acme/{message.run_id}/activities/00000"),
        pytest.raises(BusyError),
    ):
        tenant.push(message)


def test_an_activity_that_changes_its_kind_is_deleted_before_it_is_made_anew(tenant: Tenant) -> None:
    """Both have the same key, so the order decides whether one is left."""
    (old,) = tenant.ids("moved")
    body = {"@odata.type": "#microsoft.graph.learningSelfInitiatedCourse", "status": "completed"}
    new = tenant.create(0, "moved", **body)
    without_type = {name: value for name, value in (new.body or {}).items() if name != "assignmentType"}
    message = tenant.plan([new.model_copy(update={"body": without_type}), _delete(1, "moved", old)])

    assert tenant.push(message).done

    assert tenant.held()["moved"]["_type"] == "learningSelfInitiatedCourse"


def test_a_create_waits_for_the_delete_that_must_come_first(tenant: Tenant) -> None:
    (old,) = tenant.ids("stuck")
    message = tenant.plan([_delete(0, "stuck", old), tenant.create(1, "stuck")])
    tenant.simulator.inject(Faults(fail=3, fail_status=500))

    first = tenant.push(message)

    assert not first.done
    assert tenant.receipts(message) == {}
    tenant.simulator.inject(Faults())
    assert tenant.push(message).done
    assert tenant.held()["stuck"]["id"] != old


class Killed(BaseException):
    """The process is gone; nothing of it runs any more, no `finally` has an effect."""


class Told:
    """Graph that answers as told, call by call, and passes on what it was told nothing about."""

    def __init__(self, tenant: Tenant, *answers: Answer | None) -> None:
        self._graph = tenant.graph
        self._answers = list(answers)
        self.pages = tenant.graph.pages
        self.sent: list[Call] = []

    def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        self.sent += calls
        given: list[Answer] = []
        for call in calls:
            told = self._answers.pop(0) if self._answers else None
            given += [told] if told else self._graph.send([call], batch=batch)
        return given


class Mortal:
    """Blobs and Graph of a worker that dies at its n-th effect, before or after it took place."""

    def __init__(self, tenant: Tenant, death: int) -> None:
        self._tenant = tenant
        self._left = death
        self._dead = False
        self.get, self.list_paths = tenant.shards.get, tenant.shards.list_paths
        self.open, self.put_file, self.delete = (
            tenant.shards.open,
            tenant.shards.put_file,
            tenant.shards.delete,
        )
        self.pages = tenant.graph.pages

    def put(self, path: str, content: bytes) -> None:
        self._live()
        self._tenant.shards.put(path, content)
        self._live()

    def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        self._live()
        answers = self._tenant.graph.send(calls, batch=batch)
        self._live()
        return answers

    def _live(self) -> None:
        self._left -= 1
        if self._dead or self._left == 0:
            self._dead = True
            raise Killed


def test_a_kill_at_any_moment_leaves_one_activity_a_key(tenant: Tenant) -> None:
    """The worker dies before and after each of its effects, then a second one dies too, then one lives."""
    deaths = 0
    for death in range(1, 100):
        before = deaths
        keys = [f"kill-{death}-{number}" for number in range(25)]
        old, gone = tenant.ids(f"kill-{death}-old", f"kill-{death}-gone")
        creates = [tenant.create(number, key) for number, key in enumerate(keys)]
        others = [
            tenant.create(30, f"kill-{death}-old", status="inProgress"),
            _delete(31, f"kill-{death}-old", old),
            _delete(32, f"kill-{death}-gone", gone),
        ]
        message = tenant.plan([*creates, *others])
        for again in (death, max(1, death - 1)):
            mortal = Mortal(tenant, again)
            try:
                push_shard(
                    message,
                    connection=CONNECTION,
                    shards=mortal,
                    graph=mortal,
                    leases=MemoryLeases(),
                    now=NOW,
                )
            except Killed:
                deaths += 1
        assert tenant.push(message).done
        receipts = tenant.receipts(message)
        held = tenant.held()
        assert len(receipts) == 28
        assert all(receipts[number].graph_id == held[key]["id"] for number, key in enumerate(keys))
        assert held[f"kill-{death}-old"]["status"] == "inProgress"
        assert f"kill-{death}-gone" not in held
        if deaths == before:
            break

    assert deaths >= 20


def test_a_create_that_failed_after_taking_effect_is_taken_over_at_once(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(number, f"late-{number}") for number in range(30)])
    tenant.simulator.inject(Faults(fail_after_applying=30))

    assert tenant.push(message).done

    assert len([key for key in tenant.held() if key.startswith("late-")]) == 30


def test_a_create_that_is_not_found_yet_waits_for_the_next_attempt(tenant: Tenant) -> None:
    """The failed call may be under way still; creating at once would make two."""
    message = tenant.plan([tenant.create(0, "slow")])
    tenant.simulator.inject(Faults(fail=1, fail_status=504))

    progress = tenant.push(message)

    assert not progress.done
    assert progress.not_before is not None
    assert timedelta(seconds=30) <= progress.not_before - NOW < timedelta(seconds=35)
    assert tenant.push(message).done
    assert "slow" in tenant.held()


def test_an_activity_of_another_learner_under_the_same_key_is_replaced(tenant: Tenant) -> None:
    """Learner and content of an activity cannot be changed."""
    message = tenant.plan([tenant.create(0, "foreign")])
    tenant.simulator.inject(Faults(fail=1, fail_status=502))
    tenant.push(message)
    foreign = _content(0, "C2")
    contents = tenant.plan([foreign], Stage.CONTENTS)
    tenant.push(contents)
    other = tenant.plan(
        [tenant.create(0, "foreign", learningContentId=tenant.receipts(contents)[0].graph_id)]
    )
    tenant.push(other)

    assert tenant.push(message).done

    assert tenant.held()["foreign"]["learningContentId"] == tenant.content_id


def test_a_throttle_ends_the_attempt_and_keeps_what_was_done(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(number, f"throttled-{number}") for number in range(45)])
    tenant.simulator.inject(Faults(throttle=1, retry_after_minutes=2))
    tenant.simulator.reset_counters()

    progress = tenant.push(message)

    assert progress.not_before is not None
    assert timedelta(seconds=120) <= progress.not_before - NOW < timedelta(seconds=125)
    assert tenant.simulator.counters().requests == 1
    assert len(tenant.receipts(message)) == 19
    tenant.simulator.reset_counters()
    assert tenant.push(message).done
    assert tenant.simulator.counters().reads == {}, (
        "what was throttled was not carried out: nothing to look up"
    )


def test_a_pause_without_a_length_is_ten_seconds(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(0, "floor")])
    tenant.simulator.inject(Faults(throttle_batches=1, throttle=1))

    progress = tenant.push(message)

    assert progress.not_before is not None
    assert timedelta(seconds=10) <= progress.not_before - NOW < timedelta(seconds=12)


def test_attempts_that_decide_nothing_wait_ever_longer(tenant: Tenant) -> None:
    message = tenant.plan([_content(0, "offline")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(offline=True))

    waits = [(tenant.push(message).not_before or NOW) - NOW for _ in range(7)]

    assert [round(wait.total_seconds()) for wait in waits] == [30, 60, 120, 240, 480, 900, 900]


def test_a_server_that_does_not_answer_is_not_asked_for_everything(tenant: Tenant) -> None:
    """Each question may cost the whole timeout."""
    message = tenant.plan([_content(number, f"mute-{number}") for number in range(100)], Stage.CONTENTS)
    sent: list[int] = []

    class Mute:
        pages = tenant.graph.pages

        def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
            sent.append(len(calls) * batch)
            return [Answer(status=0)] * len(calls)

    push_shard(
        message, connection=CONNECTION, shards=tenant.shards, graph=Mute(), leases=MemoryLeases(), now=NOW
    )

    assert sent == [20, 20]


def test_failures_are_tried_again_within_the_attempt(tenant: Tenant) -> None:
    message = tenant.plan([_content(0, "flaky")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(fail=2, fail_status=500))

    assert tenant.push(message).done


def test_a_learner_without_a_licence_is_asked_about_once(tenant: Tenant) -> None:
    (old,) = tenant.ids("licence-old")
    creates = [tenant.create(number, f"licence-{number}", UNLICENSED) for number in range(30)]
    delete = _delete(30, "licence-old", old).model_copy(update={"person": 2})
    message = tenant.plan([*creates, delete])
    tenant.simulator.reset_counters()

    assert tenant.push(message).done

    assert tenant.verdicts(message) == [Verdict.UNLICENSED] * 30 + [Verdict.DONE]
    assert tenant.simulator.counters().items == 21 - 1, "a lone delete goes without a batch"


def test_a_refused_record_gets_a_reason_without_a_person(tenant: Tenant) -> None:
    bad = tenant.create(0, "bad", completionPercentage=700)
    stranger = tenant.create(1, "stranger", STRANGER)
    message = tenant.plan([bad, stranger, tenant.create(2, "good")])

    assert tenant.push(message).done

    receipts = tenant.receipts(message)
    assert tenant.verdicts(message) == [Verdict.REJECTED, Verdict.REJECTED, Verdict.DONE]
    assert receipts[0].reason == "Graph answered 400: a field is missing or not valid (completionPercentage)"
    assert receipts[1].code is Code.RECORD_REFUSED
    assert not any(STRANGER in receipt.reason for receipt in receipts.values())


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (Faults(no_service_plan=True), Code.GRAPH_PERMISSION_MISSING),
        (Faults(refuse_learning=True), Code.GRAPH_PERMISSION_MISSING),
        (Faults(reject_tokens=2), Code.GRAPH_PERMISSION_MISSING),
        (Faults(provider_disabled=True), Code.PROVIDER_NOT_ENABLED),
    ],
)
def test_a_wrong_setting_stops_the_run_at_its_first_call(tenant: Tenant, faults: Faults, code: Code) -> None:
    """Once it is mended, the same shard goes on."""
    message = tenant.plan([tenant.create(number, f"{code}-{id(faults)}-{number}") for number in range(45)])
    tenant.simulator.inject(faults)
    tenant.simulator.reset_counters()

    with pytest.raises(SettingsError) as caught:
        tenant.push(message)

    assert caught.value.code is code
    assert tenant.simulator.counters().requests <= 2
    tenant.simulator.inject(Faults())
    assert tenant.push(message).done


def test_receipts_before_a_stop_are_kept(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(number, f"kept-{number}") for number in range(25)])
    graph = tenant.graph

    class Refusing:
        pages = graph.pages
        sent = 0

        def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
            self.sent += 1
            return graph.send(calls, batch=batch) if self.sent == 1 else [Answer(status=403)] * len(calls)

    with pytest.raises(SettingsError):
        push_shard(
            message,
            connection=CONNECTION,
            shards=tenant.shards,
            graph=Refusing(),
            leases=MemoryLeases(),
            now=NOW,
        )

    assert len(tenant.receipts(message)) == 20


def test_a_content_is_found_when_its_answer_has_no_id(tenant: Tenant) -> None:
    message = tenant.plan([_content(0, "bare 'quoted' 100%")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(upsert_body_without_id=True))

    assert tenant.push(message).done

    assert tenant.receipts(message)[0].graph_id == tenant.held("externalId")["bare 'quoted' 100%"]["id"]


def test_a_content_that_is_not_visible_yet_has_no_receipt_yet(tenant: Tenant) -> None:
    """Without its id nothing can refer to it."""
    message = tenant.plan([_content(0, "hidden")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(upsert_body_without_id=True, hidden_contents=1))

    assert not tenant.push(message).done

    assert tenant.receipts(message) == {}
    assert tenant.push(message).done


def test_a_long_title_is_cut_to_what_graph_takes(tenant: Tenant) -> None:
    operations = [_content(number, f"long-{number}", title="ä" * 50) for number in range(25)]
    message = tenant.plan(operations, Stage.CONTENTS)
    tenant.simulator.inject(Faults(max_lengths={"title": 12}))
    tenant.simulator.reset_counters()

    assert tenant.push(message).done

    assert tenant.held("externalId")["long-7"]["title"] == "ä" * 12
    assert tenant.simulator.counters().items == 20 + 20 + 5, "the limit is learned once"


def test_another_long_field_is_refused(tenant: Tenant) -> None:
    """Half an address would lead nowhere."""
    message = tenant.plan([_content(0, "url")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(max_lengths={"contentWebUrl": 5}))

    assert tenant.push(message).done

    assert tenant.receipts(message)[0].reason == "Graph answered 400: too long (contentWebUrl)"


def test_an_update_finds_an_activity_whose_id_is_stale(tenant: Tenant) -> None:
    tenant.ids("stale")
    message = tenant.plan([tenant.update(0, "stale", "wrong:id/../x", status="inProgress")])

    assert tenant.push(message).done

    held = tenant.held()["stale"]
    assert (held["status"], held["id"]) == ("inProgress", tenant.receipts(message)[0].graph_id)


def test_an_update_of_a_lost_activity_makes_it_again(tenant: Tenant) -> None:
    message = tenant.plan([tenant.update(0, "lost", "no-such-id", status="completed")])

    assert tenant.push(message).done

    assert tenant.held()["lost"]["status"] == "completed"


def test_deleting_what_is_gone_is_done(tenant: Tenant) -> None:
    message = tenant.plan([_delete(0, "never", "no-such-id")])

    assert tenant.push(message).done
    assert tenant.verdicts(message) == [Verdict.DONE]


def test_a_method_that_is_refused_is_tried_in_its_other_spelling(tenant: Tenant) -> None:
    """Graph's pages and its metadata spell the same call differently."""
    changed, gone = tenant.ids("spelled-1", "spelled-2")
    operations = [_delete(0, "spelled-2", gone), tenant.update(1, "spelled-1", changed, status="completed")]
    message = tenant.plan(operations)
    graph = Told(tenant, Answer(status=405), Answer(status=204), Answer(status=405))

    assert tenant.push(message, graph=graph).done

    assert [call.path.rpartition("/")[2] for call in graph.sent[1:2]] == ["$ref"]
    assert tenant.held()["spelled-1"]["status"] == "completed"


def test_a_riddle_that_stays_is_taken_for_a_missing_permission(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(0, "riddle")])
    riddle = Answer(status=403, body={"error": {"code": "UnknownError", "message": ""}})

    with pytest.raises(SettingsError, match="app roles"):
        tenant.push(message, graph=Told(tenant, riddle, riddle, riddle))


def test_an_activity_that_was_made_unseen_keeps_its_id_when_its_learner_lost_the_licence(
    tenant: Tenant,
) -> None:
    """Otherwise the next plan would make a second one."""
    message = tenant.plan([tenant.create(0, "unseen")])
    tenant.simulator.inject(Faults(fail_after_applying=1))
    refusal = Answer(status=403, body={"error": {"message": "User License is not valid"}})

    tenant.push(message, graph=Told(tenant, None, None, refusal))

    receipt = tenant.receipts(message)[0]
    assert (receipt.verdict, receipt.graph_id) == (Verdict.UNLICENSED, tenant.held()["unseen"]["id"])


def test_what_fails_for_a_day_is_given_up(tenant: Tenant) -> None:
    """A run has to end; the record says why it is missing."""
    message = tenant.plan([_content(0, "hopeless"), _content(1, "fine")], Stage.CONTENTS)
    failure = Answer(status=500)
    tenant.push(message, graph=Told(tenant, failure, None, failure, failure))

    attempts = 2
    while not tenant.push(message, graph=Told(tenant, failure, failure, failure)).done:
        attempts += 1

    assert attempts == 101
    assert tenant.verdicts(message) == [Verdict.REJECTED, Verdict.DONE]
    assert tenant.receipts(message)[0].code is Code.GRAPH_UNAVAILABLE


def test_a_stage_is_done_when_each_shard_is(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(0, "stage")])
    stage = ("acme", message.run_id, Stage.ACTIVITIES)
    assert is_stage_done(tenant.shards, *stage, 0)
    assert not is_stage_done(tenant.shards, *stage, 1)

    tenant.push(message)

    assert is_stage_done(tenant.shards, *stage, 1)
    assert not is_stage_done(tenant.shards, *stage, 2)
