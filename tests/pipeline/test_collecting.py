"""Collecting, when the worker dies in the middle of it."""

from typing import Any

import pytest

from shared.pipeline.collect_packages import collect
from tests.company import FULL, full
from tests.desk import NAME, Desk


class WorkerDiedError(BaseException):
    """Nothing is caught that is not this, as nothing is when a machine goes away."""


@pytest.mark.parametrize("before", ["commit", "packages", "files"])
def test_a_package_is_taken_once_wherever_the_worker_died(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """Before it exists, before the ledger knows it, or before its file counts as seen."""
    desk.drop(FULL, full())
    put, commit = desk.parts.ledger.put, desk.intake.commit

    def put_or_die(partition: str, key: str, row: dict[str, Any]) -> None:
        if partition.endswith(f"|{before}") and '"content_hash":null' not in row["entry"]:
            raise WorkerDiedError
        put(partition, key, row)

    def commit_or_die(path: str, size_bytes: int) -> None:
        if before == "commit":
            raise WorkerDiedError
        commit(path, size_bytes)

    with monkeypatch.context() as patch:
        patch.setattr(desk.parts.ledger, "put", put_or_die)
        patch.setattr(desk.intake, "commit", commit_or_die)
        with pytest.raises(WorkerDiedError):
            collect(desk.parts, NAME, "first")
    sync = desk.sync()

    assert (sync.outcome, [run.package for run in sync.runs]) == ("done", [FULL])
    assert desk.sync().runs == []
