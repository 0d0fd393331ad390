"""The provider's folder, lent for a sync and kept afterwards."""

import os
from pathlib import Path

from infra.local.sftp_folder import SftpFolder


def test_a_lent_folder_is_shown_live_and_kept_afterwards(tmp_path: Path) -> None:
    """A provider goes on writing while a sync looks; the next call may come without the folder."""
    lent = tmp_path / "lent"
    lent.mkdir()
    folder = SftpFolder(tmp_path / "sftp")
    folder.show(lent)
    lent.joinpath("late.pgp").write_bytes(b"late")
    os.utime(lent / "late.pgp", (1, 1))

    assert [file.name for file in folder.path.iterdir()] == ["late.pgp"]
    folder.keep()
    lent.joinpath("late.pgp").unlink()
    lent.rmdir()
    kept = SftpFolder(tmp_path / "sftp").path / "late.pgp"
    assert (kept.read_bytes(), kept.stat().st_mtime) == (b"late", 1)


def test_a_new_folder_takes_the_place_of_the_kept_one(tmp_path: Path) -> None:
    folder = SftpFolder(tmp_path / "sftp")
    for name in ("one", "two"):
        tmp_path.joinpath(name).mkdir()
        tmp_path.joinpath(name, f"{name}.pgp").touch()
        folder.show(tmp_path / name)
        folder.keep()

    assert [file.name for file in folder.path.iterdir()] == ["two.pgp"]


def test_a_folder_that_is_missing_is_shown_as_missing(tmp_path: Path) -> None:
    folder = SftpFolder(tmp_path / "sftp")
    folder.show(tmp_path / "nowhere")
    folder.keep()

    assert not folder.path.exists()
