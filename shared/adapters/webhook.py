"""Messages to a channel of Teams or Slack, by an incoming webhook: a small JSON object over HTTPS."""

import logging
import ssl
from collections.abc import Callable
from functools import cache
from http import HTTPStatus

import httpx

from shared.domain.errors import Code, SettingsError, TransientError

TIMEOUT_SECONDS = 10.0

_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@cache
def _authorities() -> ssl.SSLContext:
    """Read what this machine trusts, once."""
    return httpx.create_ssl_context()


class HttpxWebhook:
    """The port `Webhook`. The address is a secret: whoever has it can write there."""

    def __init__(
        self, *, timeout_seconds: float = TIMEOUT_SECONDS, trusted: Callable[[], ssl.SSLContext] = _authorities
    ) -> None:
        # httpx writes the URL of every request at level INFO.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self._timeout_seconds = timeout_seconds
        self._trusted = trusted

    def post(self, url: str, text: str) -> None:
        """Send a message there; a redirection is not followed, for it may lead anywhere."""
        if not url.startswith("https://"):
            raise SettingsError("The secret of the webhook is no address that begins with https://.")
        try:
            with httpx.Client(verify=self._trusted(), timeout=self._timeout_seconds) as client:
                status = client.post(url, json={"text": text}).status_code
        except httpx.InvalidURL:
            raise SettingsError("The secret of the webhook is no address.", Code.SETTINGS_INVALID) from None
        except httpx.HTTPError as error:
            raise TransientError(f"The webhook gave no answer ({type(error).__name__}).") from None
        if status in _REFUSED:
            raise SettingsError(
                f"The webhook answered {status}: its address is no longer good. Make a new one, and add it as a new "
                "version of the secret.",
                Code.SETTINGS_INVALID,
            )
        if not HTTPStatus(status).is_success:
            raise TransientError(f"The webhook answered {status}.")
