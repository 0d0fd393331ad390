"""Register the learning provider in Viva Learning: once a tenant, by a person, for no app may.

Creating one is not idempotent at Graph, and the same name may be taken twice. So the providers are listed before, and
once more when the answer got lost on its way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from shared.domain.errors import Code, SettingsError, TransientError
from shared.ports import Answer, Call, Graph

SCOPE = "LearningProvider.ReadWrite"
"""The delegated permission that all of this takes."""
_PROVIDERS = "/employeeExperience/learningProviders"
_VERSION = "/v1.0"
_TOLD = 300


@dataclass(frozen=True, slots=True)
class Wish:
    """How the provider shows in Viva Learning; pictures are addresses that anybody can read."""

    name: str
    square_logo: str
    square_logo_dark: str
    long_logo: str
    long_logo_dark: str
    login_url: str | None = None
    learner_sync: bool = True


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that is registered."""

    provider_id: str
    name: str
    learner_sync: bool
    """Whether its assignments and completions are taken."""


def list_providers(graph: Graph) -> list[Provider]:
    """Return the tenant's providers.

    Raises:
        SettingsError: whoever is signed in may not see them.
        TransientError: Graph did not answer.
    """
    found: list[Provider] = []
    path: str | None = _PROVIDERS
    while path:
        answer = _judged(_send(graph, Call("GET", path)), "list learning providers")
        found += [_read(each) for each in answer.body.get("value", ())]
        link = answer.body.get("@odata.nextLink")
        path = link.partition(_VERSION)[2] if isinstance(link, str) else None
    return found


def find_named(providers: list[Provider], name: str) -> Provider | None:
    """Return the provider of that name, whatever its case."""
    wanted = name.strip().casefold()
    return next((each for each in providers if each.name.strip().casefold() == wanted), None)


def register(graph: Graph, wish: Wish) -> Provider:
    """Register the provider.

    Raises:
        SettingsError: Graph refused it, with its reason.
        TransientError: whether it was registered is not known.
    """
    body: dict[str, Any] = {
        "displayName": wish.name.strip(),
        "squareLogoWebUrlForLightTheme": wish.square_logo,
        "squareLogoWebUrlForDarkTheme": wish.square_logo_dark,
        "longLogoWebUrlForLightTheme": wish.long_logo,
        "longLogoWebUrlForDarkTheme": wish.long_logo_dark,
        "isCourseActivitySyncEnabled": wish.learner_sync,
    }
    if wish.login_url:
        body["loginWebUrl"] = wish.login_url
    answer = _send(graph, Call("POST", _PROVIDERS, body=body))
    if _is_lost(answer) and (found := find_named(list_providers(graph), wish.name)):
        return found
    return _read(_judged(answer, "register the learning provider").body)


def switch_on(graph: Graph, provider: Provider) -> None:
    """Let assignments and completions of the provider be taken; doing it twice does no harm.

    Raises:
        SettingsError: Graph refused it, with its reason.
        TransientError: Graph did not answer.
    """
    path = f"{_PROVIDERS}/{quote(provider.provider_id, safe='')}"
    answer = _send(graph, Call("PATCH", path, body={"isCourseActivitySyncEnabled": True}))
    _judged(answer, "switch on course activity sync")


def _send(graph: Graph, call: Call) -> Answer:
    return graph.send([call], batch=False)[0]


def _is_lost(answer: Answer) -> bool:
    return answer.status == 0 or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _judged(answer: Answer, doing: str) -> Answer:
    """Return a good answer; say what to mend about another one."""
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return answer
    if _is_lost(answer) or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise TransientError(f"Graph did not {doing} now ({answer.status}). Try again later.", Code.GRAPH_UNAVAILABLE)
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise SettingsError(
            f"Graph refused to {doing} ({answer.status}). Whoever signs in needs the role Knowledge Administrator, "
            f"a Viva Learning or Viva Suite licence, and consent to {SCOPE}; the tenant has to be in the worldwide "
            "cloud.",
            Code.GRAPH_PERMISSION_MISSING,
        )
    raise SettingsError(f"Graph refused to {doing} ({answer.status}): {_reason(answer.body)}", Code.SETTINGS_INVALID)


def _reason(body: Mapping[str, Any]) -> str:
    error = body.get("error")
    told = error.get("message") if isinstance(error, dict) else None
    return str(told)[:_TOLD] if told else "it gave no reason."


def _read(body: Mapping[str, Any]) -> Provider:
    return Provider(
        provider_id=str(body.get("id", "")),
        name=str(body.get("displayName", "")),
        learner_sync=bool(body.get("isCourseActivitySyncEnabled")),
    )
