"""The webhook over a real HTTPS server on this machine, which says what came."""

import json
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from infra.local.certificate import Certificate
from shared.adapters.webhook import HttpxWebhook
from shared.domain.errors import SettingsError, TransientError

SECRET = "hooks/T0/B0/very-secret"  # noqa: S105 - of nobody


@dataclass
class Channel:
    """A server; `status` is its answer."""

    url: str
    webhook: HttpxWebhook
    status: int = 200
    came: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@contextmanager
def serving(channel: Channel, certificate: Certificate) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            channel.came.append((self.path, json.loads(body)))
            self.send_response(channel.status)
            if channel.status == 302:
                self.send_header("Location", "https://example.com/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/{SECRET}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    certificate = Certificate.kept_in(tmp_path)
    trusted = ssl.create_default_context(cafile=certificate.certificate_file)
    channel = Channel("", HttpxWebhook(timeout_seconds=5, trusted=lambda: trusted))
    with serving(channel, certificate) as url:
        channel.url = url
        yield channel


def test_a_text_arrives_as_teams_and_slack_read_it(channel: Channel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    channel.webhook.post(channel.url, "Grüße, “halted”")

    assert channel.came == [(f"/{SECRET}", {"text": "Grüße, “halted”"})]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_address_that_is_no_longer_good_is_for_a_person(channel: Channel, status: int) -> None:
    channel.status = status

    with pytest.raises(SettingsError, match=f"answered {status}.*Make a new one") as raised:
        channel.webhook.post(channel.url, "x")

    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("status", [302, 400, 429, 500, 503])
def test_what_may_pass_is_tried_again(channel: Channel, status: int) -> None:
    """A redirection is not followed: it may lead anywhere."""
    channel.status = status

    with pytest.raises(TransientError, match=f"answered {status}"):
        channel.webhook.post(channel.url, "x")

    assert len(channel.came) == 1


def test_nobody_there_is_no_answer(channel: Channel, tmp_path: Path) -> None:
    """Neither is one whose certificate nobody here trusts."""
    del tmp_path
    untrusting = HttpxWebhook(timeout_seconds=5)

    with pytest.raises(TransientError, match="no answer") as raised:
        untrusting.post(channel.url, "x")
    with pytest.raises(TransientError, match="no answer"):
        channel.webhook.post("https://127.0.0.1:9/x", "x")

    assert SECRET not in repr(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "ftp://x", "", "https://[", "https://exa mple:x/"])
def test_only_https_is_spoken(channel: Channel, url: str) -> None:
    with pytest.raises((SettingsError, TransientError)) as raised:
        channel.webhook.post(url, "x")

    assert (url == "") or url not in str(raised.value)
    assert channel.came == []
