"""Writes the fixtures of the present version: `python -m tests.versions`."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.versions import kept, store, story


def main() -> int:
    """Write them, unless the version is out: what others have stored does not change any more."""
    if kept.is_released():
        print(f"Version {kept.VERSION} is out. Raise the version in pyproject.toml first.", file=sys.stderr)  # noqa: T201 - for a person
        return 1
    folder = kept.FOLDER / kept.VERSION
    with TemporaryDirectory() as desk:
        scenes, messages = story.play(Path(desk))
    shutil.rmtree(folder, ignore_errors=True)
    for name, files in scenes.items():
        folder.mkdir(exist_ok=True)
        store.write(folder / f"{name}.zip", files)
    for name, body in messages.items():
        path = folder / "messages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{body}\n", "utf-8")
    print(f"Wrote {len(scenes)} scenes and {len(messages)} messages to {folder}.")  # noqa: T201 - for a person
    return 0


if __name__ == "__main__":
    sys.exit(main())
