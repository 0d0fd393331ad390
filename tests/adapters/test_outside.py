"""Tests stay on this machine."""

import socket

import httpx
import pytest


def test_a_connection_beyond_loopback_is_refused() -> None:
    """Otherwise a wrong setting in a test could reach somebody's tenant."""
    with socket.socket() as beyond, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        beyond.connect(("192.0.2.1", 443))


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the library closes what fails as an OSError
def test_a_library_cannot_take_the_refusal_for_a_server_that_is_down() -> None:
    with pytest.raises(AssertionError, match="tried to reach"):
        httpx.get("http://192.0.2.1/")


def test_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as near:
        near.connect(server.getsockname())
