"""The pictures of the README show what the commands show."""

import re
from pathlib import Path

import pytest

from tests import screens
from tests.situations import desk_of_all

pytestmark = pytest.mark.slow

_IDS = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|-[0-9a-f]{8}\b")
"""Of contents and runs: others each time."""


def test_the_pictures_are_what_the_commands_show(tmp_path: Path) -> None:
    with desk_of_all(tmp_path) as desk:
        drawn = {name: screens.draw(desk, name) for name in screens.SCREENS}

    for name, picture in drawn.items():
        kept = screens.FOLDER.joinpath(f"{name}.svg").read_text("utf-8")
        assert _IDS.sub("ID", picture) == _IDS.sub("ID", kept), f"python -m tests.screens ({name})"
