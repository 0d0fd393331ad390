"""Tokens of a person who signs in for one task, with a scope that only a person may have."""

import logging
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError

from shared.domain.errors import Code, SettingsError

_REASON = re.compile(r"AADSTS\d+")


class SignIn:
    """Tokens of whoever signs in, asked for when the first one is needed and kept in memory only.

    `tell` is given the sentence that says where to sign in; with `in_browser` a browser of this machine is opened
    instead. `tenant_id` is needed by people who are guests in other tenants.
    """

    def __init__(
        self, client_id: str, tenant_id: str | None, *, in_browser: bool, tell: Callable[[str], object]
    ) -> None:
        self._client_id = client_id
        self._tenant_id = tenant_id
        self._in_browser = in_browser
        self._tell = tell
        self._made: TokenCredential | None = None

    def get_token(self, scope: str, *, fresh: bool = False) -> str:
        """Return a token for the scope; nobody is asked to sign in a second time, not even for a `fresh` one.

        Raises:
            SettingsError: nobody signed in, or Entra refused it (`GRAPH_PERMISSION_MISSING`).
        """
        del fresh
        if self._made is None:
            self._made = self._new_credential()
        try:
            return self._made.get_token(scope).token
        except AzureError as error:
            # Its text may name who tried: only Entra's number of the reason is told.
            reason = _REASON.search(str(error))
            raise SettingsError(
                f"Nobody was signed in{f' ({reason[0]})' if reason else ''}. Try again, with --tenant where you "
                "belong to several tenants; with --browser where codes for devices are forbidden; with --client "
                "where sign-in asks for the approval of an admin whom you cannot ask.",
                Code.GRAPH_PERMISSION_MISSING,
            ) from None

    def tell_code(self, address: str, code: str, expires_at: datetime) -> None:
        """Say where the person signs in."""
        self._tell(f"Sign in at {address} with the code {code}, before {expires_at:%H:%M} UTC.")

    def _new_credential(self) -> TokenCredential:
        # Imported late: it takes 150 ms, which nobody else need pay.
        from azure.identity import DeviceCodeCredential, InteractiveBrowserCredential  # noqa: PLC0415

        logging.getLogger("azure.identity").setLevel(logging.WARNING)
        tenant: dict[str, Any] = {"tenant_id": self._tenant_id} if self._tenant_id else {}
        credential: TokenCredential
        if self._in_browser:
            credential = InteractiveBrowserCredential(client_id=self._client_id, **tenant)
        else:
            credential = DeviceCodeCredential(self._client_id, prompt_callback=self.tell_code, **tenant)
        return credential
