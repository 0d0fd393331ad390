"""What happened, and how things stand, as an admin reads it."""

from pathlib import Path

import pytest

from shared.cli.tenant import read_environment
from shared.domain.errors import SettingsError
from tests.cli.conftest import Lms
from tests.company import FULL, betrays, full
from tests.desk import NAME, Desk


def test_a_new_connection_has_nothing_to_tell(lms: Lms) -> None:
    answer = lms("status")

    assert answer.status == 0
    assert "nothing yet" in answer.output
    assert lms("runs", "--json").json == []


def test_after_a_sync_its_outcome_and_package_are_told(desk: Desk, lms: Lms) -> None:
    desk.drop(FULL, full())
    sync = desk.sync()

    (status,) = lms("status", "--json").json
    (run,) = lms("runs", "--json").json
    shown = lms("runs", run["run_id"])

    assert (status["connection"], status["outcome"], status["package"]) == (NAME, sync.outcome, FULL)
    assert run["run_id"] == sync.runs[0].run_id
    assert run["run_id"] in lms("runs").output
    assert FULL in shown.output
    assert run["scheduled"] is False
    assert "somebody" in lms("runs").output
    assert "assignments" in shown.output
    assert betrays(lms("runs").output + shown.output + lms("status").output) == []
    document = desk.parts.connections.find(NAME)
    assert document is not None
    desk.parts.connections.delete(NAME)
    assert lms("status", "--json").json == []
    desk.parts.connections.put(NAME, document.value, None)
    assert lms("runs", "--json").json == [run], "a connection that is made anew has its runs back"


def test_a_halted_run_says_who_has_to_do_what(desk: Desk, lms: Lms) -> None:
    """The coverage is below what was asked for."""
    desk.set(coverage_minimum_percent=100)
    desk.drop(FULL, full())
    run = desk.sync().runs[0]

    (status,) = lms("status", "--json").json

    assert f"`lms runs {run.run_id}`" in status["waits_for_you"]
    assert f"`lms approve {run.run_id}`" in status["waits_for_you"]
    assert "would change: contents +5" in lms("runs", run.run_id).output
    assert status["doing"] == ""


def test_an_unknown_run_is_told_in_a_sentence(lms: Lms) -> None:
    answer = lms("runs", "20260101T000000-00000000")

    assert answer.status == 1
    assert "There is no run" in answer.errors
    assert "CONN_ERROR_SETTINGS_INVALID" in answer.errors


def test_of_several_connections_one_has_to_be_chosen(desk: Desk, lms: Lms) -> None:
    document = desk.parts.connections.find(NAME)
    assert document is not None
    desk.parts.connections.put("second", document.value, None)

    assert "--connection" in lms("runs").errors
    assert lms("-c", "second", "runs", "--json").json == []
    assert lms("-c", "third", "runs").status == 1
    assert len(lms("status", "--json").json) == 2


def test_the_environment_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "lms.env"
    file.write_text("# a tenant\n\nLMS_VAULT_URL=https://vault.example\na.b=1\nexport A='b=c'\n")

    assert read_environment(file) == {"LMS_VAULT_URL": "https://vault.example", "a.b": "1", "A": "b=c"}

    file.write_text("LMS_VAULT_URL https://vault.example\n")
    with pytest.raises(SettingsError, match="line 1"):
        read_environment(file)
