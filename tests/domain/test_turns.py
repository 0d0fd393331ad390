"""Whose turn it is, and what it means when it is nobody's."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.package import Kind, PackageName
from shared.domain.runs import Outcome
from shared.domain.state import Committed
from shared.domain.turns import Choice, Fetched, Judgement, Standing, choose, judge_idle, next_turn
from tests.domain.test_connection import WANTED

START = datetime(2026, 11, 1, tzinfo=UTC)
LONG_AFTER = START + timedelta(days=30)
KINDS = {"F": Kind.FULL, "D": Kind.DELTA, "K": Kind.KEYS}


def name(short: str) -> PackageName:
    """Read `D24`: a delta made 24 hours after the start."""
    return PackageName(START + timedelta(hours=float(short[1:])), short, KINDS[short[0]], "acme")


def names(shorts: str) -> list[PackageName]:
    return [name(short) for short in shorts.split()]


def fetched(short: str, **values: Any) -> Fetched:  # noqa: ANN401 - any field
    parsed = name(short)
    given = {"sealed_path": f"sealed/{short}", "content_hash": f"hash of {short}"} | values
    return Fetched(file=short, kind=parsed.kind, timestamp=parsed.timestamp, size_bytes=1, **given)


def taken(short: str, **values: Any) -> Fetched:  # noqa: ANN401 - any field
    return fetched(short, standing=Standing.TAKEN, **values)


def committed(short: str) -> Committed:
    parsed = name(short)
    return Committed(
        package=short, kind=parsed.kind, timestamp=parsed.timestamp, content_hash=f"hash of {short}", run_id="1"
    )


def choice(
    folder: str, settled: Sequence[Fetched] = (), *, after: str = "", now: datetime = LONG_AFTER, wait_hours: float = 4
) -> Choice:
    return choose(
        names(folder),
        {package.file: package for package in settled},
        committed=committed(after) if after else None,
        keys_wait=timedelta(hours=wait_hours),
        now=now,
        fingerprint="now",
    )


def chosen(folder: str, settled: Sequence[Fetched] = (), *, after: str = "") -> str:
    return " ".join(each.file for each in choice(folder, settled, after=after).fetch)


def turn(*packages: Fetched, after: str = "", rerun: str | None = None) -> str:
    found = next_turn(
        packages, committed=committed(after) if after else None, fingerprint="now", rerun=rerun and f"hash of {rerun}"
    )
    if found is None:
        return ""
    return f"{found.main.file}+{found.keys.file}" if found.keys else found.main.file


@pytest.mark.parametrize(
    ("folder", "after", "expected"),
    [
        ("", "", ""),
        ("D24 D48", "", ""),
        ("F0 F24 F48", "", "F48"),
        ("D72 D24 F48 F0 D96", "", "F48 D72 D96"),
        ("F0 D24 D48", "F0", "D24 D48"),
        ("F0 D24 D48 F72 D96", "D24", "F72 D96"),
        ("F0 D24", "D24", ""),
    ],
    ids=[
        *("an empty folder", "deltas without a full", "the newest full", "a full, then later deltas"),
        *("deltas in order", "a newer full passes over deltas", "nothing new"),
    ],
)
def test_what_is_fetched(folder: str, after: str, expected: str) -> None:
    """What is settled of these is what was committed, and all that is older."""
    settled = [taken(each.file) for each in names(folder) if after and each.timestamp <= name(after).timestamp]

    assert chosen(folder, settled, after=after) == expected


def test_a_delta_older_than_what_is_published_is_never_fetched() -> None:
    assert chosen("F48 D24 D72", [taken("F48")], after="F48") == "D72"


def test_keys_are_fetched_before_the_package_they_belong_to() -> None:
    """When the main package arrives, its trigger must find all that belongs to it."""
    found = choice("F0 K0.5 D24 K24.5")

    assert [each.file for each in found.fetch] == ["K0.5", "F0", "K24.5", "D24"]
    assert {main: keys.file for main, keys in found.keys.items()} == {"F0": "K0.5", "D24": "K24.5"}


@pytest.mark.parametrize(("hours", "fetch", "waiting"), [(3.9, "", "F0"), (4, "F0", "")])
def test_a_package_waits_for_its_keys_for_a_while(hours: float, fetch: str, waiting: str) -> None:
    found = choice("F0", now=START + timedelta(hours=hours))

    assert " ".join(each.file for each in found.fetch) == fetch
    assert " ".join(each.file for each in found.waiting) == waiting


def test_what_comes_after_a_waiting_package_waits_too() -> None:
    """Or a delta would be published before the one that it follows."""
    found = choice("D24 K25.5 D26", after="F0", now=START + timedelta(hours=27))

    assert [each.file for each in found.waiting] == ["D24"]
    assert found.fetch == []


def test_late_keys_of_what_is_published_are_fetched() -> None:
    assert chosen("F0 K6", [taken("F0")], after="F0") == "K6"


def test_keys_of_a_package_that_is_past_are_left_alone() -> None:
    assert chosen("F0 K1 D24", [taken("F0"), taken("D24")], after="D24") == ""


@pytest.mark.parametrize(("fingerprint", "expected"), [("now", "D48"), ("before", "D24 D48")])
def test_a_refused_package_is_tried_again_when_something_has_changed(fingerprint: str, expected: str) -> None:
    """Keys, profile or settings; until then the same refusal every day would help nobody."""
    refused = fetched("D24", standing=Standing.REFUSED, fingerprint=fingerprint)

    assert chosen("F0 D24 D48", [taken("F0"), refused], after="F0") == expected


@pytest.mark.parametrize(("fingerprint", "expected"), [("now", "D48"), ("before", "D24")])
def test_its_turn_comes_again_then(fingerprint: str, expected: str) -> None:
    refused = fetched("D24", standing=Standing.REFUSED, fingerprint=fingerprint)

    assert turn(taken("F0"), refused, fetched("D48"), after="F0") == expected


def test_a_package_that_was_never_fetched_has_no_turn() -> None:
    """One that was too large, until it has been fetched under the new limit."""
    refused = fetched("F0", standing=Standing.REFUSED, fingerprint="before", sealed_path="")

    assert turn(refused) == ""


@pytest.mark.parametrize(
    ("packages", "after", "expected"),
    [
        ("D24", "", ""),
        ("F0 F24 D48", "", "F24"),
        ("D48 D24", "F0", "D24"),
        ("D24 F24", "F0", "F24"),
        ("D24 D48 F72", "F0", "F72"),
        ("D24", "F48", ""),
        ("F0", "D24", ""),
    ],
    ids=[
        *("no delta without a full", "the newest full", "deltas by their time", "a full before a delta of its time"),
        *("a full spares the deltas before it", "an older delta", "an older full"),
    ],
)
def test_whose_turn_it_is(packages: str, after: str, expected: str) -> None:
    assert turn(*(fetched(short) for short in packages.split()), after=after) == expected


def test_a_package_is_processed_with_its_keys() -> None:
    keys = fetched("K25", belongs_to="D24")

    assert turn(fetched("D24"), keys, after="F0") == "D24+K25"


def test_late_keys_come_before_the_next_delta() -> None:
    """They speak of the tables as they stand; after the next delta nobody could tell what they mean."""
    late = fetched("K6", belongs_to="F0")

    assert turn(late, fetched("D24"), after="F0") == "K6"
    assert turn(late, fetched("F24"), after="F0") == "F24"
    assert turn(late, after="D24") == ""


def test_what_is_published_has_no_second_turn_but_by_a_rerun() -> None:
    assert turn(fetched("F0"), after="F0") == ""
    assert turn(fetched("F0"), fetched("F24"), after="F0", rerun="F0") == "F0"


def judge(
    folder: str, now: datetime, *, after: str = "", empty: bool | None = None, waiting: bool = False
) -> Judgement:
    return judge_idle(
        names(folder),
        folder_empty=not folder if empty is None else empty,
        waiting=waiting,
        committed=committed(after) if after else None,
        enabled_at=START,
        connection=Connection.model_validate(WANTED),
        now=now,
    )


SEVEN_WORKING_DAYS = datetime(2026, 11, 10, tzinfo=UTC)  # from a Sunday on


@pytest.mark.parametrize("folder", ["", "D24"])
def test_the_first_full_may_take_seven_working_days(folder: str) -> None:
    judged = judge(folder, SEVEN_WORKING_DAYS)

    assert (judged.outcome, judged.code) == (Outcome.WAITING, None)
    assert "7 working days" in judged.message


@pytest.mark.parametrize(
    ("folder", "empty", "code"),
    [
        ("", True, "USR_ERROR_SFTP_NO_FILES_FOUND"),
        ("", False, "USR_ERROR_SF_INITIAL_PACKAGE_NOT_FOUND"),
        ("D24", False, "USR_ERROR_SF_INITIAL_PACKAGE_NOT_FOUND"),
    ],
    ids=["nothing", "other files", "only deltas"],
)
def test_after_seven_working_days_it_is_missing(folder: str, code: str, *, empty: bool) -> None:
    judged = judge(folder, SEVEN_WORKING_DAYS + timedelta(seconds=1), empty=empty)

    assert (judged.outcome, judged.code) == (Outcome.FAILED, code)
    assert "PARTNER_EXTRACT" in judged.message


@pytest.mark.parametrize(("hours", "outcome"), [(28, Outcome.DONE), (28.1, Outcome.FAILED)])
def test_a_delta_is_expected_every_day(hours: float, outcome: Outcome) -> None:
    judged = judge("F0", START + timedelta(hours=hours), after="F0")

    assert judged.outcome is outcome
    assert judged.code == (Code.DELTA_PACKAGE_NOT_FOUND if outcome is Outcome.FAILED else None)


def test_whatever_came_last_counts() -> None:
    """A delta that was refused is no missing one, and a keys package is no delta."""
    now = START + timedelta(hours=50)

    assert judge("F0 D24", now, after="F0").outcome is Outcome.DONE
    assert judge("F0 K24", now, after="F0").code is Code.DELTA_PACKAGE_NOT_FOUND


def test_the_folder_may_be_emptied_once_all_is_published() -> None:
    assert judge("", START + timedelta(hours=20), after="F0").outcome is Outcome.DONE
    assert judge("", START + timedelta(hours=30), after="F0").code is Code.DELTA_PACKAGE_NOT_FOUND


def test_waiting_for_keys_is_no_failure() -> None:
    judged = judge("D24", LONG_AFTER, after="F0", waiting=True)

    assert (judged.outcome, judged.code) == (Outcome.WAITING, None)


@pytest.mark.parametrize(
    ("package", "after", "may"),
    [
        (fetched("F0"), "", True),
        (fetched("F0", standing=Standing.REFUSED), "", True),
        (taken("D24"), "D24", True),
        (taken("K25", belongs_to="D24"), "D24", True),
        (taken("F0"), "D24", False),
        (fetched("D12"), "D24", False),
        (fetched("D12", standing=Standing.REFUSED), "D24", False),
        (fetched("K13", belongs_to="D12"), "D24", False),
        (fetched("D48"), "D24", True),
        (fetched("D48", standing=Standing.REFUSED), "D24", True),
        (taken("D48"), "D24", False),
    ],
)
def test_a_package_may_be_processed_until_it_is_taken_or_a_newer_one_is(
    package: Fetched, after: str, *, may: bool
) -> None:
    """What may not have a turn any more may be deleted. The latest one may be run again."""
    assert package.may_be_processed(committed(after) if after else None) is may
