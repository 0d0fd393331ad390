"""`python -m infra.local generate`: the generator on the command line."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from infra.local.generate.defects import describe_defects, parse_defects
from infra.local.generate.options import FIRST_DAY, Kind, Options
from infra.local.generate.packages import generate
from infra.local.generate.sealing import SealingError

EPILOG = "Defects, each struck in every main package written: " + " · ".join(describe_defects())


def generate_command(
    out: Annotated[Path, typer.Argument(help="Folder to write into; made if it is not there.")],
    *,
    learners: Annotated[int, typer.Option(help="Persons on the first day.")] = 500,
    items: Annotated[int, typer.Option(help="Learning items on the first day.")] = 200,
    assignments: Annotated[int, typer.Option(help="Rows of the plan on the first day.")] = 5000,
    completions: Annotated[int, typer.Option(help="Rows of the learning history on the first day.")] = 2000,
    leavers: Annotated[
        int,
        typer.Option(
            help="Sets of 18 more learners who are deactivated on the second day: by hand and by connectors, "
            "with cleanDevPlan Y and N; some leave their profiles, some come back."
        ),
    ] = 0,
    day: Annotated[
        date | None,
        typer.Option(metavar="YYYY-MM-DD", help="Day of the packages. [default: yesterday]"),
    ] = None,
    first_day: Annotated[
        date, typer.Option(metavar="YYYY-MM-DD", help="Day on which the world has those sizes.")
    ] = FIRST_DAY,
    kind: Annotated[
        list[Kind] | None,
        typer.Option(
            help="What to write; may be repeated. A full beside a delta is of the day before. [default: full]"
        ),
    ] = None,
    keys: Annotated[bool, typer.Option(help="Follow a delta with its keys package.")] = True,
    seed: Annotated[int, typer.Option(help="Another seed is another world.")] = 1,
    customer: Annotated[str, typer.Option(help="First part of the file names.")] = "acme",
    at: Annotated[time, typer.Option("--time", metavar="HH:MM:SS", help="Time in the file names.")] = time(),
    defects: Annotated[
        str, typer.Option(help="A number of bad rows, or a list like `bad-date=3,bom`; see below.")
    ] = "",
    key: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Armored public key to encrypt for. [default: a new pair in OUT/keys]",
        ),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Where the Entra users go. [default: OUT/directory.csv]")
    ] = None,
) -> None:
    """Write encrypted packages as SuccessFactors would, with the Entra users that fit them."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    try:
        generated = generate(
            out,
            Options(
                day=day or max(first_day, yesterday),
                first_day=first_day,
                kinds=tuple(kind or [Kind.FULL]),
                keys=keys,
                learners=learners,
                items=items,
                assignments=assignments,
                completions=completions,
                leavers=leavers,
                seed=seed,
                customer=customer,
                time=at,
                defects=parse_defects(defects),
                key=key,
                directory=directory,
            ),
        )
    except (ValueError, SealingError) as error:
        raise typer.BadParameter(str(error)) from None
    for package in generated.packages:
        print(f"package    {package} ({package.stat().st_size:,} bytes)")
    print(f"public key {generated.public_key}")
    if generated.private_key:
        print(f"secret key {generated.private_key}, its passphrase in {generated.passphrase}")
    print(f"directory  {generated.directory}")
    print(f"\nTry it:\n{generated.command}")
