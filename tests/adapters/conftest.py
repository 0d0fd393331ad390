"""What the adapters' tests share."""

import socket
from uuid import uuid4

import pytest


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
