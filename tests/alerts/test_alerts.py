"""Whoever is on call hears of what needs somebody: once, in one channel, and nothing about any person."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.alert import AlertKind
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.messages import PUSH_RECORDS, PushRecords, Stage
from shared.pipeline import journal
from shared.pipeline.keep_poison import keep_poison, replay_message
from shared.pipeline.sweep import sweep
from tests.alerts.conftest import OnCall, listening
from tests.bad_input.conftest import Tenant
from tests.company import item, rows
from tests.desk import NAME, START
from tests.fakes import MemoryTable


def test_all_is_well(on_call: OnCall) -> None:
    assert on_call.hears() == []
    assert on_call.tenant.desk.parts.alerts.find(NAME, "failed|") is None


def test_a_failed_look_is_told_once_until_it_is_over(on_call: OnCall) -> None:
    """The code is in the text, and what to do; another code is something else; once over, it may come again."""
    desk = on_call.tenant.desk
    desk.set(delta_expected_hours=1000)
    login = desk.secrets.values.pop("sftp-login")
    heard = []
    for _ in range(3):
        desk.sync()
        heard.append(on_call.hears())
    desk.secrets.values["sftp-login"] = login
    desk.sync()
    heard.append(on_call.hears())
    del desk.secrets.values["sftp-login"]
    desk.sync()
    heard.append(on_call.hears())

    assert [len(texts) for texts in heard] == [1, 0, 0, 0, 1]
    assert heard[0][0].startswith(f"LMS connector, connection {NAME}: failed. ")
    assert heard[0][0].endswith(f"({journal.get_state(desk.parts, NAME).last_sync.code})")  # type: ignore[union-attr]  # one has ended


def test_another_code_is_another_alert(on_call: OnCall) -> None:
    desk = on_call.tenant.desk
    del desk.secrets.values["sftp-login"]
    desk.sync()
    first = on_call.hears()
    desk.secrets.values["sftp-login"] = "x"
    on_call.tenant.at(3, 12)
    desk.sync()

    second = on_call.hears()

    assert [len(first), len(second)] == [1, 2]
    assert any(Code.DELTA_PACKAGE_NOT_FOUND in text for text in second)


@pytest.mark.slow
def test_a_refused_package_is_told_until_something_newer_is_published(on_call: OnCall) -> None:
    tenant = on_call.tenant
    bad = [*rows()["PA_CPNT"], *(item(number, CPNT_TYP_ID="") for number in range(6, 20))]
    heard = []
    for day in (2, 3):
        tenant.full(day, PA_CPNT=bad)
        tenant.desk.sync()
        heard.append(on_call.hears("rejected"))
        heard.append(on_call.hears("rejected"))
    tenant.full(4)
    tenant.desk.sync()
    heard.append(on_call.hears("rejected"))
    tenant.full(5, PA_CPNT=bad)
    tenant.desk.sync()
    heard.append(on_call.hears("rejected"))

    assert [len(texts) for texts in heard] == [1, 0, 0, 0, 0, 1]
    assert "rejected. The package acme_F_20261102000000.zip.pgp was refused." in heard[0][0]
    assert heard[0][0].endswith(f"({Code.REJECT_LIMIT})")


def test_every_halted_run_is_told_with_the_command_that_lets_it_go_on(on_call: OnCall) -> None:
    on_call.tenant.full(2, PA_STUD_CPNT=[])
    run = on_call.tenant.desk.sync().runs[-1]

    first, again = on_call.hears("halted"), on_call.hears("halted")
    on_call.tenant.full(3, PA_STUD_CPNT=[])
    newer = on_call.tenant.desk.sync().runs[-1]
    other = on_call.hears("halted")
    on_call.tenant.desk.approve(newer.run_id)

    assert [len(first), len(again), len(other), len(on_call.hears("halted"))] == [1, 0, 1, 0]
    assert f"`lms approve {run.run_id}`" in first[0]
    assert f"`lms approve {newer.run_id}`" in other[0]


def test_many_messages_put_aside_are_one_alert(on_call: OnCall) -> None:
    parts = on_call.tenant.desk.parts
    for number in range(30):
        body = PushRecords(connection=NAME, run_id="x", stage=Stage.CONTENTS, shard=number).model_dump_json()
        keep_poison(parts, PUSH_RECORDS, f"m{number:02}", body.encode(), START)

    first, again = on_call.hears(), on_call.hears()
    for number in range(30):
        replay_message(parts, f"m{number:02}")
    over = on_call.hears()
    keep_poison(parts, PUSH_RECORDS, "strange", b"?", START)

    assert [len(first), len(again), len(over)] == [1, 0, 0]
    assert "30 of the messages of the queue push-records" in first[0]
    assert "`lms replay --queue push-records`" in first[0]
    assert len(on_call.hears()) == 1


def test_what_is_switched_off_is_left_alone(on_call: OnCall) -> None:
    on_call.tenant.desk.set(enabled=False)
    on_call.tenant.at(9)

    assert on_call.hears() == []


def test_a_webhook_that_fails_is_tried_again_and_hurts_nobody(
    on_call: OnCall, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the alert at once, and only once."""
    caplog.set_level(logging.INFO)
    desk = on_call.tenant.desk
    del desk.secrets.values["sftp-login"]
    desk.sync()
    desk.webhook.error = TransientError("The webhook gave no answer.")
    assert on_call.hears() == []
    desk.webhook.error = SettingsError("The webhook answered 404.")
    assert on_call.hears() == []
    url = desk.secrets.values.pop("channel")
    assert on_call.hears() == []
    desk.secrets.values["channel"], desk.webhook.error = url, None

    assert [len(on_call.hears()) for _ in range(2)] == [1, 0]
    raised = [each for each in caplog.records if each.getMessage().startswith("alert.failed ")]
    assert [each.levelno for each in raised] == [logging.ERROR]
    assert "hooks.example.com" not in caplog.text


def test_without_a_webhook_the_log_has_it(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    """And whoever sets one up later hears of what still is so."""
    del tenant.desk.secrets.values["sftp-login"]
    tenant.desk.sync()

    sweep(tenant.desk.parts)
    sweep(tenant.desk.parts)

    assert caplog.text.count("alert.failed connection=desk") == 1
    assert len(listening(tenant).hears()) == 1


def test_settings_that_are_not_valid_silence_nobody(on_call: OnCall, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows the webhook then; the log does, and the channel hears of it once the settings are read again."""
    desk = on_call.tenant.desk
    desk.set(mass_change_percent="many")
    desk.sync()
    on_call.hears()
    assert "alert.failed connection=desk" in caplog.text
    desk.set(mass_change_percent=20)

    assert any(Code.SETTINGS_INVALID in text for text in on_call.hears())


def test_two_sweeps_at_once_tell_once(on_call: OnCall) -> None:
    desk = on_call.tenant.desk
    del desk.secrets.values["sftp-login"]
    desk.sync()

    with desk.parts.leases.hold(f"alerts/{NAME}"):
        assert on_call.hears() == []

    assert len(on_call.hears()) == 1


def test_a_published_package_is_told_where_that_is_wanted(on_call: OnCall) -> None:
    """H40: somebody wants to know that an import is complete."""
    on_call.tenant.desk.set(tell_published=True)
    first, again = on_call.hears(), on_call.hears()
    on_call.tenant.delta(2, PA_CPNT=[item(6)])
    on_call.tenant.desk.sync()

    assert [len(first), len(again)] == [1, 0]
    assert "has been published (done): 5 contents read and 5 published" in first[0]
    assert "acme_D_20261102000000" in on_call.hears()[0]


def test_an_end_that_comes_nearer_is_told_at_each_mark_and_for_each_secret(on_call: OnCall) -> None:
    """The vault is looked into once a day; a new version of the secret ends it."""
    desk = on_call.tenant.desk
    end = desk.now + timedelta(days=40)
    desk.secrets.expires.update({"pgp-private-key": end, "sftp-login": end + timedelta(days=5)})
    heard = []
    for day in range(42):
        heard += [(day, text) for text in on_call.hears("expiring")]
        assert on_call.hears("expiring") == []
        desk.now += timedelta(days=1)
    del desk.secrets.expires["pgp-private-key"]
    on_call.hears()

    assert [day for day, text in heard if "'pgp-private-key'" in text] == [10, 33, 39, 40]
    assert [day for day, text in heard if "'sftp-login'" in text] == [15, 38]
    assert f"{end:%Y-%m-%d}" in heard[0][1]
    kept = dict(desk.parts.alerts.list_rows(NAME))
    assert [row["subject"] for row in kept.values() if row["kind"] == AlertKind.EXPIRING] == [
        "Version 1 of the secret 'sftp-login'"
    ]


class Unreachable(MemoryTable):
    """A table whose account does not answer."""

    def list_rows(self, partition: str) -> Iterator[tuple[str, dict[str, Any]]]:
        raise TransientError(f"Listing {partition}: no answer.")


@pytest.mark.parametrize("name", ["poison", "alerts"])
def test_a_table_that_does_not_answer_keeps_no_run_from_being_woken(on_call: OnCall, name: str) -> None:
    """What was to be told is told with a later sweep."""
    desk = on_call.tenant.desk
    del desk.secrets.values["sftp-login"]
    desk.sync()
    parts = replace(desk.parts, **{name: Unreachable()})  # type: ignore[arg-type]  # two tables by name

    sweep(parts)

    assert desk.webhook.posted == []
    assert len(on_call.hears("failed")) == 1
