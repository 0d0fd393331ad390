"""A real sshd where it can do it; a server in this process where something has to go wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from infra.local.sftp import SftpServer
from tests.adapters.sftp.visitor import CONTENT, PACKAGE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "provider"
    folder.mkdir()
    (folder / PACKAGE).write_bytes(CONTENT)
    return folder


@pytest.fixture(params=["sshd", "asyncssh"])
def server(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Iterator[SftpServer]:
    """What works, works with both; they differ in paths and in how they word a refusal."""
    yield from _serve(folder, tmp_path, request.param)


@pytest.fixture
def faulty(folder: Path, tmp_path: Path) -> Iterator[SftpServer]:
    yield from _serve(folder, tmp_path, "asyncssh")


def _serve(folder: Path, tmp_path: Path, prefer: Literal["sshd", "asyncssh"]) -> Iterator[SftpServer]:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    with SftpServer(folder, state, prefer=prefer) as server:
        yield server
