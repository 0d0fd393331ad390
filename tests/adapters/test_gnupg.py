"""What is GnuPG's alone: it has a home and an agent, and a machine may have its own idea of it."""

import io
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.gnupg import GnupgOpener
from tests.adapters.openpgp import as_secret
from tests.adapters.provider import CLEAR, Provider, open_all, refusal, secrets


@pytest.fixture
def memory() -> Iterator[Path]:
    """A place with a short path, as a home directory needs it."""
    with tempfile.TemporaryDirectory(prefix="gpg-test-") as name:
        yield Path(name)


def test_gnupg_leaves_neither_home_nor_agent(provider: Provider, memory: Path) -> None:
    """Whether a package was read, given up or damaged."""
    opener = GnupgOpener(memory=memory)
    while_open: list[str] = []

    def agents() -> list[str]:
        listing = subprocess.run(["pgrep", "-fa", f"gpg-agent --homedir {memory}"], capture_output=True, check=False)
        return listing.stdout.decode().splitlines()

    with opener.open(
        io.BytesIO(provider.sealed), secrets(provider.new), [as_secret("new horse")], require_signature=False
    ) as package:
        next(package.chunks())
        while_open = agents()
        home = next(memory.iterdir())
        private_mode = home.stat().st_mode & 0o777
        kept = "".join(file.read_text(errors="replace") for file in (home / "private-keys-v1.d").iterdir())
    refusal(opener, provider.sealed[:-1], provider.new)

    assert len(while_open) == 1
    assert private_mode == 0o700
    assert "protected-private-key" in kept
    assert list(memory.iterdir()) == []


def test_gnupg_knows_no_settings_but_ours(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine's own configuration may say anything, in any language."""
    (tmp_path / "gpg.conf").write_text("this is no option\n")
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))
    monkeypatch.setenv("LANGUAGE", "de")

    assert open_all(GnupgOpener(), provider.sealed, provider.new)[0] == CLEAR
