"""`lms` over a desk: the same storage that the use cases of the test work on."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shared.cli import follow, tenant
from shared.cli.app import app
from tests.clinic import Clinic, open_clinic
from tests.desk import Desk


@dataclass
class Answer:
    """What a command printed, and how it ended."""

    status: int
    output: str
    errors: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        return json.loads(self.output)


type Lms = Callable[..., Answer]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    """A connection whose vault holds real keys; a module about keys makes its desk `desk`."""
    with open_clinic(tmp_path) as clinic:
        yield clinic


@pytest.fixture
def lms(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Lms:
    """Call `lms` with these arguments; `given` is what the person types."""
    monkeypatch.setattr(tenant, "make_parts", lambda *_, **__: desk.parts)
    runner = CliRunner(env={"COLUMNS": "200"})

    def call(*arguments: str, given: str = "") -> Answer:
        result = runner.invoke(app, list(arguments), input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        # The runner shows on the standard output what was typed, which a terminal does by itself.
        output = result.stdout.replace(f" {given}", "", 1) if given else result.stdout
        return Answer(result.exit_code, output, result.stderr)

    return call


@pytest.fixture
def app_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the app work while somebody waits for a sync."""

    def work(_: float) -> None:
        if desk.messages.sent:
            desk.deliver(json.loads(desk.messages.sent[0][1])["sync_id"])

    monkeypatch.setattr(follow, "pause", work)
