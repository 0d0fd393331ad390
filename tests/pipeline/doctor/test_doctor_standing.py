"""The doctor at what the app has left: storage, looks, runs; and at the connection's document."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, override

import pytest

from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.messages import COMMANDS, Process
from shared.domain.runs import Outcome, Step
from shared.pipeline import journal
from shared.pipeline.doctor import About, Result
from shared.pipeline.keep_poison import keep_poison, replay_message
from tests.clinic import Clinic
from tests.desk import NAME
from tests.fakes import MemoryBlobs, MemoryMessages, MemoryTable
from tests.pipeline.doctor.test_doctor_graph import end_run

REFUSAL = SettingsError("The storage account refused us (status 403).", Code.SETTINGS_INVALID)


class NoBlobs(MemoryBlobs):
    @override
    def put(self, path: str, content: bytes) -> None:
        raise REFUSAL


class OtherBlobs(MemoryBlobs):
    @override
    def get(self, path: str) -> bytes:
        return b"something else"


class NoTable(MemoryTable):
    @override
    def put(self, partition: str, key: str, row: Mapping[str, Any]) -> None:
        raise REFUSAL


class NoMessages(MemoryMessages):
    @override
    def probe(self, queue: str) -> int:
        raise TransientError(f"No answer for {queue}.")


def test_blobs_that_cannot_be_written_fail(clinic: Clinic) -> None:
    clinic.desk.parts = replace(clinic.desk.parts, reports=NoBlobs())

    check = clinic.checks()["blob storage"]

    assert (check.result, check.code) == (Result.FAILED, Code.SETTINGS_INVALID)
    assert "refused" in check.found
    assert check.mend


def test_blobs_that_come_back_changed_fail_and_are_deleted(clinic: Clinic) -> None:
    blobs = OtherBlobs()
    clinic.desk.parts = replace(clinic.desk.parts, reports=blobs)

    assert clinic.checks()["blob storage"].result is Result.FAILED
    assert blobs.content == {}


def test_rows_that_cannot_be_written_fail(clinic: Clinic) -> None:
    clinic.desk.parts = replace(clinic.desk.parts, ledger=NoTable())

    found = clinic.checks()

    assert found["table storage"].result is Result.FAILED
    assert found["blob storage"].result is Result.PASSED


def test_queues_that_do_not_answer_fail(clinic: Clinic) -> None:
    clinic.desk.parts = replace(clinic.desk.parts, messages=NoMessages())

    found = clinic.checks()

    assert found["queue storage"].result is Result.FAILED
    assert found["queue storage"].mend


def test_messages_that_were_put_aside_are_counted_until_they_are_put_back(clinic: Clinic) -> None:
    body = Process(connection=NAME).model_dump_json().encode()
    keep_poison(clinic.desk.parts, COMMANDS, "a-message", body, clinic.desk.now)

    check = clinic.checks()["messages put aside"]
    replay_message(clinic.desk.parts, "a-message")

    assert check.result is Result.WARNED
    assert "1 of `commands`" in check.found
    assert clinic.checks()["messages put aside"].result is Result.PASSED


def test_a_document_that_is_not_valid_names_its_fields(clinic: Clinic) -> None:
    clinic.desk.set(on_gap="maybe", no_such_setting=1)

    found = clinic.checks()

    assert found["connection"].result is Result.FAILED
    assert "on_gap" in found["connection"].found
    assert "no_such_setting" in found["connection"].found
    assert found["vault access"].result is Result.SKIPPED
    assert found["blob storage"].result is Result.PASSED


def test_an_unknown_profile_fails(clinic: Clinic) -> None:
    clinic.desk.set(profile="cornerstone")

    assert "cornerstone" in clinic.checks()["connection"].found


def test_a_connection_that_is_off_is_told(clinic: Clinic) -> None:
    clinic.desk.set(enabled=False)

    check = clinic.checks()["schedule"]

    assert check.result is Result.WARNED
    assert "switched off" in check.found


def test_a_connection_that_never_looked_is_told(clinic: Clinic) -> None:
    found = clinic.checks()

    assert found["schedule"].result is Result.WARNED
    assert found["last look"].result is Result.SKIPPED
    assert found["packages"].result is Result.WARNED


def test_a_look_that_failed_is_told_with_its_code(clinic: Clinic) -> None:
    clinic.drop()
    clinic.vault.lose("sftp-login")
    assert clinic.desk.sync().outcome == "failed"

    check = clinic.checks()["last look"]

    assert (check.result, check.code) == (Result.FAILED, Code.SECRET_MISSING)
    assert "sftp-login" in check.found
    assert check.mend


@pytest.mark.parametrize(
    ("step", "idle", "result", "word"),
    [
        (Step.HALTED, timedelta(days=1), Result.WARNED, "lms approve"),
        (Step.MAPPING, timedelta(hours=1), Result.FAILED, "stood still for 60 minutes"),
        (Step.MAPPING, timedelta(seconds=5), Result.PASSED, "under way: mapping"),
    ],
)
def test_an_open_run_is_judged_by_whether_it_moves(
    clinic: Clinic, step: Step, idle: timedelta, result: Result, word: str
) -> None:
    end_run(clinic, Outcome.DONE)
    parts = clinic.desk.parts
    (run,) = journal.list_runs(parts, NAME)
    journal.change_run(parts, run, lambda each: each.changed(step=step, outcome=None, message="Too much would change."))
    journal.change_state(parts, NAME, lambda state: state.model_copy(update={"open_run": run.run_id}))
    clinic.desk.now += idle

    check = clinic.checks()["open run"]

    assert check.result is result
    assert word in check.found + check.mend


def test_a_full_package_that_is_wanted_is_told(healthy: Clinic) -> None:
    parts, wanted = healthy.desk.parts, "The delta of 2 is missing."
    journal.change_state(parts, NAME, lambda state: state.model_copy(update={"needs_full": wanted}))
    check = healthy.checks()["packages"]
    journal.change_state(parts, NAME, lambda state: state.model_copy(update={"needs_full": None}))

    assert (check.result, check.found) == (Result.WARNED, wanted)


def test_every_check_says_of_whom_it_speaks(clinic: Clinic) -> None:
    """An admin's own rights prove nothing about the app's."""
    found = clinic.checks()

    you = {name for name, check in found.items() if check.about is About.YOU}
    assert you == {
        "vault access",
        "blob storage",
        "table storage",
        "queue storage",
        "SFTP server",
        "Graph access",
        "clock",
    }
