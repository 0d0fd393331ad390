"""A tenant that shards are pushed to: the simulator of Graph, through the real client."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.graph import PROVIDER_ID, GraphSimulator
from shared.adapters.graph import HttpxGraph
from shared.domain.connection import Connection
from shared.domain.messages import PushRecords, Stage
from shared.domain.plan import Act, Operation, Receipt, Verdict
from shared.pipeline.push_records import Progress, push_shard
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

    def push(self, message: PushRecords, connection: Connection = CONNECTION, graph: Graph | None = None) -> Progress:
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
        lines = [line for path in self.shards.list_paths(prefix) for line in self.shards.get(path).splitlines()]
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


def upsert_content(number: int, key: str, **more: Any) -> Operation:  # noqa: ANN401
    body = {"title": key, "contentWebUrl": "https://lms.example/1", "languageTag": "en-us", **more}
    return Operation(number=number, act=Act.UPSERT_CONTENT, key=key, body=body)


def delete_activity(number: int, key: str, graph_id: str) -> Operation:
    return Operation(number=number, act=Act.DELETE, key=key, graph_id=graph_id, person=1)


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
