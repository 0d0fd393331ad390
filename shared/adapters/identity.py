"""Tokens of the app's own identity: no secret is stored, the platform vouches for the app.

At an admin's terminal it is the admin's: whoever is signed in to the Azure CLI, for example.
"""

import base64
import json
import logging

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError

from shared.domain.errors import Code, TransientError


class ManagedIdentity:
    """Tokens of the function app's managed identity; `client_id` is that of a user-assigned one.

    `signed_in` stands for whoever sits at the terminal instead. One instance is kept for the life of the process:
    azure-identity caches tokens and renews them in time.
    """

    def __init__(self, client_id: str | None, *, signed_in: bool = False) -> None:
        self._client_id = client_id
        self._signed_in = signed_in
        self._made: TokenCredential | None = None

    @property
    def credential(self) -> TokenCredential:
        """The credential itself, for Azure's own clients."""
        if self._made is None:
            self._made = self._new_credential()
        return self._made

    def get_token(self, scope: str, *, fresh: bool = False) -> str:
        """Return a token for the scope; `fresh` forgets the one in the cache.

        Raises:
            TransientError: no token could be had (`GRAPH_UNAVAILABLE`).
        """
        if fresh:
            # The cache lives in the credential and cannot be emptied.
            self._made = None
        try:
            return self.credential.get_token(scope).token
        except AzureError:
            raise TransientError(
                "The managed identity got no token. If this persists, see that an identity is assigned to "
                "the function app and that its client id is right.",
                Code.GRAPH_UNAVAILABLE,
            ) from None

    def object_id(self, scope: str) -> str | None:
        """Return the object id in Entra of whoever the tokens are for; `None` where a token does not say.

        Raises:
            TransientError: no token could be had.
        """
        _, _, rest = self.get_token(scope).partition(".")
        claims = rest.partition(".")[0]
        try:
            told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        except ValueError:
            return None
        found = told.get("oid") if isinstance(told, dict) else None
        return found if isinstance(found, str) else None

    def _new_credential(self) -> TokenCredential:
        # Imported late: it takes 150 ms, which a start that never talks to Graph need not pay.
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

        # It writes a line a token at level INFO, none of them news.
        logging.getLogger("azure.identity").setLevel(logging.WARNING)
        credential: TokenCredential = (
            DefaultAzureCredential() if self._signed_in else ManagedIdentityCredential(client_id=self._client_id)
        )
        return credential


def managed_identity(client_id: str | None) -> ManagedIdentity:
    """Return the tokens of the managed identity; `None` is the system-assigned one."""
    return ManagedIdentity(client_id)
