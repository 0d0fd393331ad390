"""Marker files beside packages: whoever uploads says with them that a package is whole."""

import logging

import pytest

from shared.domain.connection import Sftp
from tests.company import FULL, files, full, item, rows
from tests.desk import Desk
from tests.desk_connection import DEFAULTS

DELTA = "acme_D_20261101220000.zip.pgp"
DELTA_KEYS = "acme_K_20261101223000.zip.pgp"


@pytest.fixture
def marked(desk: Desk) -> Desk:
    """A desk at which a package counts once its marker is there; the full one is."""
    desk.set(sftp={**DEFAULTS["sftp"], "done_suffix": ".done"})
    desk.drop(FULL, full())
    desk.folder.files[f"{FULL}.done"] = b""
    return desk


def test_a_package_is_taken_once_its_marker_is_there(marked: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="shared")
    del marked.folder.files[f"{FULL}.done"]

    before = marked.sync()
    told = [record.getMessage() for record in caplog.records]
    again = marked.sync()
    marked.folder.files[f"{FULL}.done"] = b""
    after = marked.sync()

    assert (before.outcome, before.runs) == ("waiting", [])
    assert f"{FULL} is in the folder without its marker file (.done)" in before.message
    assert again.message == before.message
    assert "collect.unmarked connection=desk packages=1" in told
    assert (after.outcome, after.message, [run.package for run in after.runs]) == ("done", "", [FULL])


def test_a_marker_is_no_unknown_file(marked: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="shared")
    marked.sync()
    known = [each for each in caplog.records if "unknown_file" in each.getMessage()]
    marked.folder.files["readme.done"] = b""
    marked.sync()

    assert known == []
    assert [each for each in caplog.records if "unknown_file" in each.getMessage()]


def test_a_marker_that_never_comes_is_told_in_every_look_until_the_delta_is_missed(marked: Desk) -> None:
    """And it holds up what is behind it: a delta that is applied in the wrong order is lost."""
    marked.sync()
    marked.drop(DELTA, files({"PA_CPNT": [item(6)]}))
    marked.drop("acme_D_20261102220000.zip.pgp", files({"PA_CPNT": [item(7)]}))
    marked.folder.files["acme_D_20261102220000.zip.pgp.done"] = b""
    marked.pass_time(20 * 3600)

    waiting = marked.sync()
    marked.pass_time(24 * 3600)
    missed = marked.sync()

    assert (waiting.outcome, waiting.runs) == ("waiting", [])
    assert f"{DELTA} is in the folder without its marker file" in waiting.message
    assert (missed.outcome, missed.runs) == ("failed", [])
    assert missed.code == "USR_ERROR_SF_DELTA_PACKAGE_NOT_FOUND"
    assert f"{DELTA} is in the folder without its marker file" in missed.message


def test_keys_without_their_marker_are_as_if_they_had_not_come(marked: Desk) -> None:
    """The delta waits for them as long as for any, then goes alone; once marked, they follow as a run of their own."""
    marked.sync()
    marked.drop(DELTA, files({"PA_CPNT": [item(6)]}))
    marked.drop(
        DELTA_KEYS, files({"PA_CPNT_K": [{"CPNT_TYP_ID": "COURSE", "CPNT_ID": "C-6", "REV_DTE": "2025-01-01"}]})
    )
    marked.folder.files[f"{DELTA}.done"] = b""
    marked.pass_time(17 * 3600)

    early = marked.sync()
    marked.pass_time(4 * 3600)
    alone = marked.sync()
    marked.folder.files[f"{DELTA_KEYS}.done"] = b""
    keys = marked.sync()

    assert (early.outcome, early.runs) == ("waiting", [])
    assert [run.package for run in alone.runs] == [DELTA]
    assert f"{DELTA_KEYS} is in the folder without its marker file" in alone.message
    assert [run.package for run in keys.runs] == [DELTA_KEYS]


def test_what_was_fetched_needs_its_marker_no_longer(marked: Desk) -> None:
    """Providers tidy up."""
    marked.sync()
    del marked.folder.files[f"{FULL}.done"]

    sync = marked.sync()

    assert (sync.outcome, sync.message, sync.runs) == ("done", "", [])


@pytest.mark.parametrize("suffix", ["", "done", ".do ne", "../x", "." + "a" * 40])
def test_an_end_that_is_none_is_refused(suffix: str) -> None:
    with pytest.raises(ValueError, match="done_suffix"):
        Sftp.model_validate({**DEFAULTS["sftp"], "done_suffix": suffix})


def test_without_the_setting_no_marker_is_waited_for(desk: Desk) -> None:
    desk.drop(FULL, full(PA_CPNT=rows()["PA_CPNT"]))

    assert [run.package for run in desk.sync().runs] == [FULL]
