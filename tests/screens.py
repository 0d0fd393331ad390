"""Draws what `lms` shows, for the README: `python -m tests.screens` runs the commands and writes `docs/screens/`."""

import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text
from typer.testing import CliRunner

from shared.cli import tenant
from shared.cli.app import app
from shared.cli.show import PLAIN_WIDTH
from tests.desk import Desk
from tests.situations import NEAR, desk_of_all

FOLDER = Path(__file__).parents[1] / "docs" / "screens"
SCREENS = {
    "explain": ("explain - COURSE:C-1",),
    "reports": ("rejects", "coverage"),
}
"""What is drawn, by the name of the picture."""


def draw(desk: Desk, name: str) -> str:
    """Run the commands of a picture over the desk's storage, and return what they show as SVG."""
    console = Console(record=True, width=PLAIN_WIDTH, file=io.StringIO(), force_terminal=True)
    runner = CliRunner(env={"FORCE_COLOR": "1", "COLUMNS": str(PLAIN_WIDTH)})
    with patch.object(tenant, "make_parts", lambda *_, **__: desk.parts):
        for command in SCREENS[name]:
            shown = runner.invoke(app, command.split(), input=f"{NEAR.key}\n")
            console.print(Text(f"$ lms {command}", style="bold"))
            console.print(Text.from_ansi("\n".join(line.rstrip() for line in shown.stdout.splitlines())))
    svg = console.export_svg(title="lms", theme=DIMMED_MONOKAI, unique_id="lms")
    # A picture of ours fetches no font from anybody.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")


def main() -> None:
    """Draw every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, desk_of_all(Path(folder)) as desk:
        for name in SCREENS:
            FOLDER.joinpath(f"{name}.svg").write_text(draw(desk, name), encoding="utf-8")


if __name__ == "__main__":
    main()
