"""Keys for the generated packages, and a reader that has them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.generate import KeyFiles, make_keys
from shared.adapters.gnupg import stop_agent
from tests.local.generate.reader import Reader, run_gpg


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    return make_keys(tmp_path_factory.mktemp("keys"), quick=True)


@pytest.fixture(scope="session")
def gnupg(keys: KeyFiles) -> Iterator[Path]:
    """A GnuPG home that holds the private key; its path has to be short."""
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp") as home:
        run_gpg(Path(home), keys, "--import", str(keys.private))
        yield Path(home)
        stop_agent(Path(home))


@pytest.fixture
def reader(gnupg: Path, keys: KeyFiles, tmp_path: Path) -> Reader:
    return Reader(gnupg, keys, tmp_path)
