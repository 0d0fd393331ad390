"""`lms provider`: the one-off registration in Viva Learning, which only a person can do."""

from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.text import Text

from shared.cli.options import Json, Yes
from shared.cli.show import print_value
from shared.cli.tenant import Tenant, ask, fail, telling_errors
from shared.domain.errors import Code
from shared.pipeline.register_provider import (
    SCOPE,
    Provider,
    Wish,
    find_named,
    list_providers,
    register,
    switch_on,
)
from shared.ports import Graph
from shared.wiring import person_graph

app = typer.Typer(help="Register the learning provider in Viva Learning.", no_args_is_help=True)

GRAPH_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
"""Microsoft's own application for tools that a person signs in to, "Microsoft Graph Command Line Tools"."""
_HTTPS = "https://"


@app.command("register")
def register_provider(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="What learners see, for example SAP SuccessFactors.")] = "",
    square_logo: Annotated[str, typer.Option(metavar="URL", help="Square picture, which anybody can read.")] = "",
    long_logo: Annotated[str, typer.Option(metavar="URL", help="Long picture, which anybody can read.")] = "",
    square_logo_dark: Annotated[str, typer.Option(metavar="URL", help="The same for dark themes.")] = "",
    long_logo_dark: Annotated[str, typer.Option(metavar="URL", help="The same for dark themes.")] = "",
    login_url: Annotated[str | None, typer.Option(metavar="URL", help="Where learners sign in to the LMS.")] = None,
    without_learners: Annotated[
        bool, typer.Option("--without-learners", help="A catalog only: no assignment and no completion is taken.")
    ] = False,
    tenant_id: Annotated[str | None, typer.Option("--tenant", metavar="ID", help="Entra tenant to sign in to.")] = None,
    client_id: Annotated[
        str, typer.Option("--client", metavar="ID", help="Application to sign in with. (default: Microsoft's own)")
    ] = GRAPH_TOOLS,
    browser: Annotated[bool, typer.Option("--browser", help="Sign in with a browser of this machine.")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Register the learning provider, or find out its registration id where that is done already.

    You sign in for this alone, as Knowledge Administrator with a Viva Learning licence; nothing of it is kept.
    """
    tenant: Tenant = context.obj
    with telling_errors():
        wanted = _ask_for(name, "Name that learners see", yes=yes or json)
        wish = Wish(
            name=wanted,
            square_logo=square_logo,
            square_logo_dark=square_logo_dark,
            long_logo=long_logo,
            long_logo_dark=long_logo_dark,
            login_url=login_url,
            learner_sync=not without_learners,
        )
        with person_graph(
            tenant.environment, SCOPE, client_id=client_id, tenant_id=tenant_id, in_browser=browser, tell=_tell
        ) as graph:
            known = list_providers(graph)
            found = find_named(known, wanted)
            was_registered = found is not None
            if found is None:
                found = _register(graph, known, _complete(wish, yes=yes or json), yes=yes)
            elif wish.learner_sync and not found.learner_sync:
                found = _switch_on(graph, found, yes=yes)
    if json:
        print_value({**asdict(found), "was_registered": was_registered})
    else:
        _show(tenant, found, was_registered=was_registered)


def _complete(wish: Wish, *, yes: bool) -> Wish:
    """Ask for the pictures that are missing; what is shown on dark pages is the same unless something was said."""
    square = _https("--square-logo", _ask_for(wish.square_logo, "Address of the square picture", yes=yes))
    long = _https("--long-logo", _ask_for(wish.long_logo, "Address of the long picture", yes=yes))
    return replace(
        wish,
        square_logo=square,
        square_logo_dark=_https("--square-logo-dark", wish.square_logo_dark or square),
        long_logo=long,
        long_logo_dark=_https("--long-logo-dark", wish.long_logo_dark or long),
        login_url=_https("--login-url", wish.login_url) if wish.login_url else None,
    )


def _register(graph: Graph, known: list[Provider], wish: Wish, *, yes: bool) -> Provider:
    for each in known:
        _tell(f"Registered already: {each.name}, {each.provider_id}")
    ask(f"Register {wish.name!r} as {'another' if known else 'a'} learning provider of this tenant?", yes=yes)
    return register(graph, wish)


def _switch_on(graph: Graph, found: Provider, *, yes: bool) -> Provider:
    """Nobody has to register anew for that."""
    _tell(f"{found.name} is registered as {found.provider_id}, and takes no assignment and no completion.")
    ask("Switch its course activity sync on?", yes=yes)
    switch_on(graph, found)
    return Provider(found.provider_id, found.name, learner_sync=True)


def _ask_for(given: str, question: str, *, yes: bool) -> str:
    """Ask for what was not given, where somebody is there to answer."""
    if given.strip():
        return given.strip()
    if yes:
        fail(f"{question}: needed as an option where nobody is asked.", Code.SETTINGS_INVALID)
    answer: str = typer.prompt(question, err=True)
    return answer.strip()


def _https(option: str, url: str) -> str:
    if not url.startswith(_HTTPS):
        fail(f"{option} has to begin with {_HTTPS}: Viva Learning fetches the picture.", Code.SETTINGS_INVALID)
    return url


def _tell(sentence: str) -> None:
    """Say something beside what is printed for programs."""
    typer.echo(sentence, err=True)


def _show(tenant: Tenant, found: Provider, *, was_registered: bool) -> None:
    console = tenant.console
    console.print(Text(f"{found.name} {'is registered already' if was_registered else 'is registered now'}."))
    console.print(Text.assemble("Registration id: ", (found.provider_id, "bold")))
    console.print(Text("Put it into the connection, the document connections/NAME.json:"))
    console.print(Text(f'  "viva": {{"provider_id": "{found.provider_id}", ...}}'), soft_wrap=True)
    if not found.learner_sync:
        console.print(Text('It takes no assignment and no completion, so leave "learner_sync" off.'))
    console.print(Text("Contents that are published show up in Viva Learning within a day or two, not at once."))
