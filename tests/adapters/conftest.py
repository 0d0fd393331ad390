"""What the adapters' tests share."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from shared.adapters.gnupg import GnupgOpener
from shared.adapters.sequoia import SequoiaOpener
from shared.ports import PackageOpener
from tests.adapters.openpgp import Workshop
from tests.adapters.provider import CLEAR, Provider


@pytest.fixture
def name() -> str:
    """A container, queue, table or secret that no other test uses."""
    return f"t{uuid4().hex}"


@pytest.fixture(params=["memory", "azure"])
def on_azure(request: pytest.FixtureRequest) -> bool:
    """Contracts run twice: what the stand-in of the other tests promises must be true of the real thing."""
    return bool(request.param == "azure")


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as briefly:
        port: int = briefly.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with tempfile.TemporaryDirectory(prefix="gpg-tests-") as folder, Workshop(Path(folder)) as workshop:
        new = workshop.key("new", passphrase="new horse")  # noqa: S106 - of a key that lives for these tests
        yield Provider(
            workshop=workshop,
            new=new,
            old=workshop.key(
                "old",
                passphrase="old horse",  # noqa: S106 - the same
                kind="rsa2048 sign,cert,encr",
                options=["--cert-digest-algo", "SHA1"],
            ),
            bare=workshop.key("bare"),
            sender=workshop.key("sender", kind="ed25519 sign"),
            sealed=workshop.seal(CLEAR, new),
        )


@pytest.fixture(params=[GnupgOpener(), SequoiaOpener()], ids=["gnupg", "sequoia"])
def opener(request: pytest.FixtureRequest) -> PackageOpener:
    chosen: PackageOpener = request.param
    return chosen
