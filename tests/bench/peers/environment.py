"""A peer's own environment: a virtual one with pinned packages, made once."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distributions
from pathlib import Path

INSTALL_SECONDS = 600.0
_LAST_WORDS = 300
_MARK = "made-of"


class NotInstallableError(Exception):
    """The peer cannot be had on this machine; the message says why."""


def find(folder: Path, requirements: Path) -> Path | None:
    """Return the folder of programs of an environment that was made before, of the same packages."""
    mark = folder / _MARK
    return folder / "bin" if mark.is_file() and mark.read_text("ascii") == _wanted(requirements) else None


def make(folder: Path, requirements: Path) -> Path:
    """Make the environment anew with our Python; return its folder of programs.

    Raises:
        NotInstallableError: pip failed.
    """
    programs = folder / "bin"
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", folder])
    _run([programs / "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements])
    (folder / _MARK).write_text(_wanted(requirements), "ascii")
    return programs


def version(folder: Path, package: str) -> str:
    """Return the version of a package that is installed in an environment."""
    places = [str(place) for place in (folder / "lib").glob("python*/site-packages")]
    found = next(iter(distributions(name=package, path=places)), None)
    if found is None:
        raise PackageNotFoundError(package)
    return found.version


def _wanted(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()


def _run(command: Sequence[str | Path]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotInstallableError(f"pip did not end within {INSTALL_SECONDS:,.0f} s") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
        raise NotInstallableError((errors or lines or ["pip failed"])[0][:_LAST_WORDS])
