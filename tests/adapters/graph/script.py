"""A server that answers as told, and clients for it."""

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

from shared.adapters.graph import HttpxGraph

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class CountingTokens:
    """Hands out a new token whenever a fresh one is asked for."""

    def __init__(self) -> None:
        self.fresh = 0

    def get_token(self, scope: str, *, fresh: bool = False) -> str:
        assert scope == "scope"
        self.fresh += fresh
        return f"token-{self.fresh}"


class Script:
    """A server on loopback that answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.released = Event()
        self.silent = False
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                script.requests.append((f"{self.command} {self.path}", headers, body))
                if script.silent:
                    script.released.wait()
                    self.close_connection = True
                    return
                status, more, content = script.answers.pop(0)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server looks for these names

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, status: int, body: object = None, **headers: str) -> None:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): v for name, v in headers.items()}, content))


def client_of(url: str, tokens: CountingTokens, timeout_seconds: float = 10) -> HttpxGraph:
    return HttpxGraph(url, tokens, timeout_seconds=timeout_seconds, scope="scope", clock=lambda: NOW)
