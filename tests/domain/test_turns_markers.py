"""Whose turn it is where packages need marker files, and what is said of those that have none."""

from datetime import timedelta

import pytest

from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.markers import has_marker, is_marker, tell_unmarked
from shared.domain.runs import Outcome
from shared.domain.turns import choose, judge_idle
from tests.domain.test_connection import WANTED
from tests.domain.test_turns import LONG_AFTER, START, committed, names, taken


@pytest.mark.parametrize(
    ("folder", "unmarked", "after", "fetched_now", "told"),
    [
        ("F0 D24", "F0", "", "", "F0"),
        ("F0 D24 D48", "D24", "", "F0", "D24"),
        ("F0 D24 D48", "D24 D48", "F0", "", "D24 D48"),
        ("F0 D24 D48 F72", "D24", "F0", "F72", ""),
        ("F0 D24 F48 D72", "F48", "F0", "D24", "F48"),
        ("F0 F24", "F24", "", "F0", "F24"),
        ("D24 F48 D72", "D24", "F48", "D72", ""),
        ("F0 D24 K25 D48", "K25", "F0", "D24 D48", "K25"),
    ],
    ids=[
        "the first full",
        "a delta holds up those behind it",
        "several",
        "a newer full is complete",
        "a newer full holds up what is behind it",
        "of two fulls the complete one",
        "older than what is published",
        "keys are as if they were not there",
    ],
)
def test_a_package_without_its_marker_is_left_for_the_next_look(
    folder: str, unmarked: str, after: str, fetched_now: str, told: str
) -> None:
    found = choose(
        names(folder),
        {after: taken(after)} if after and after not in unmarked else {},
        committed=committed(after) if after else None,
        keys_wait=timedelta(hours=4),
        now=LONG_AFTER,
        fingerprint="now",
        unmarked=unmarked.split(),
    )

    assert " ".join(each.file for each in found.fetch) == fetched_now
    assert " ".join(each.file for each in found.unmarked) == told


def test_a_package_without_its_marker_is_told_and_is_no_package() -> None:
    """Nothing may hang silently: every look says it, and the delta is missed as if nothing had come."""
    early, late = START + timedelta(hours=20), START + timedelta(hours=30)
    told = "D24 is in the folder without its marker file."

    waiting, missed = (
        judge_idle(
            names("F0"),
            folder_empty=False,
            waiting=False,
            committed=committed("F0"),
            enabled_at=START,
            connection=Connection.model_validate(WANTED),
            now=now,
        ).beside_unmarked(told)
        for now in (early, late)
    )

    assert (waiting.outcome, waiting.message) == (Outcome.WAITING, told)
    assert (missed.outcome, missed.code) == (Outcome.FAILED, Code.DELTA_PACKAGE_NOT_FOUND)
    assert missed.message.endswith(told)


def test_a_marker_is_known_by_the_package_that_it_is_of() -> None:
    assert is_marker("a.pgp.done", ".done", lambda file: file == "a.pgp")
    assert not is_marker("readme.done", ".done", lambda file: file == "a.pgp")
    assert not is_marker("a.pgp.done", None, lambda file: file == "a.pgp")
    assert (has_marker("a.pgp", ".done", {"a.pgp.done"}), has_marker("a.pgp", ".done", {"a.pgp"})) == (True, False)
    assert has_marker("a.pgp", None, set())


def test_of_many_packages_without_markers_three_are_named() -> None:
    assert tell_unmarked([], ".done") == ""
    assert tell_unmarked(["a", "b", "c", "d", "e"], ".done").startswith(
        "a, b, c and 2 more are in the folder without marker files (.done)"
    )
