"""`lms explain`: why does this learner see this course, or why not?"""

import sys
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from shared.cli.options import Json
from shared.cli.show import print_json, time_text
from shared.cli.tenant import Tenant, fail, telling_errors
from shared.domain.explanation import Cause, Fact, Finding
from shared.pipeline.explain import explain as find_out
from shared.pipeline.explain_scene import Question

ASKED = "-"
"""Stands for a learner who is asked for, so that nothing about anybody gets into the history of a shell."""
_GOOD = (Cause.PUBLISHED, Cause.COMPLETED)


def explain(
    context: typer.Context,
    learner: Annotated[
        str,
        typer.Argument(
            metavar="LEARNER",
            help="Person id (PERSON_ID_EXTERNAL). `-` asks for it, or reads it from the standard input.",
        ),
    ],
    item: Annotated[
        str, typer.Argument(metavar="ITEM", help="TYPE:ID of the course, or its ID where one type has it.")
    ],
    *,
    student: Annotated[bool, typer.Option("--student", help="LEARNER is a student id (STUD_ID).")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not open packages again: no lines, and no rejected rows.")
    ] = False,
    json: Json = False,
) -> None:
    """Say why a learner sees a course or does not. The id is hashed and forgotten."""
    tenant: Tenant = context.obj
    question = Question(_given(learner), item, by_student=student, read_packages=not quick)
    with telling_errors():
        found = find_out(tenant.parts, tenant.connection, question)
        if json:
            print_json(found)
            return
        _show(tenant, found)


def _given(learner: str) -> str:
    if learner == ASKED:
        is_person = sys.stdin.isatty()
        learner = (
            typer.prompt("Learner", hide_input=True, err=True) if is_person else sys.stdin.readline().rstrip("\r\n")
        )
    if not learner.strip():
        fail("LEARNER is empty.")
    return learner


def _show(tenant: Tenant, found: Finding) -> None:
    console = tenant.console
    colour = "green" if found.cause in _GOOD else "yellow"
    console.print(Text.assemble((found.item, "bold"), "  ", (found.cause, f"bold {colour}")))
    console.print(Text(f"  {found.what}"))
    if found.decisive is not None:
        console.print(Text(f"  {_where(found.decisive)}: {found.decisive.text}".replace("  : ", "  ")))
    if found.mend:
        console.print(Text(f"  {found.mend}"))
    for shown in found.shown:
        since = f", since {time_text(shown.since)}" if shown.since else ""
        console.print(
            Text(f"  Shown: {shown.kind} {shown.status}, activity {shown.activity_id}, user {shown.user_id}{since}")
        )
    console.print()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("about", "what is known", "where", "code"):
        table.add_column(title, overflow="fold")
    for fact in found.facts:
        table.add_row(fact.about, Text(fact.text), Text(_where(fact)), fact.code or "")
    console.print(table)


def _where(fact: Fact) -> str:
    """Return package, file, line and field, as far as they are known; else the run."""
    line = f"line {fact.line}" if fact.line else ""
    found = ", ".join(filter(None, (fact.package, fact.file, line, fact.field)))
    return found or (f"run {fact.run}" if fact.run else "")
