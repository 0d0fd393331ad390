"""The naive pipeline and the connector on packages that the former can still bear."""

import tempfile
from pathlib import Path

from tests.bench import meter
from tests.bench.data import Data
from tests.bench.peers import environment
from tests.bench.result import Figures, Peer

NAME = "naive pipeline"
HOW = "PGPy, zipfile, csv, one pydantic model a row, NDJSON"
TIMEOUT_SECONDS = 900.0
_FOLDER = Path(__file__).parent


def measure(data: Data, folder: Path) -> Peer:
    """Install it if it is not yet, and let it read; whatever goes wrong is told in its row."""
    place = folder / "naive"
    try:
        programs = environment.make(place, _FOLDER / "naive.txt")
    except environment.NotInstallableError as error:
        return Peer(name=NAME, how=HOW, reason=f"not installed: {error}")
    version = f"PGPy {environment.version(place, 'PGPy')}, pydantic {environment.version(place, 'pydantic')}"
    with tempfile.TemporaryDirectory(prefix="naive-") as out:
        script = (programs / "python", _FOLDER / "naive.py")
        arguments = (data.package, data.keys.private, data.keys.passphrase, out)
        try:
            done = meter.run([*script, *arguments], folder=Path(out), timeout_seconds=TIMEOUT_SECONDS)
        except meter.CommandError as error:
            return Peer(name=NAME, how=HOW, version=version, reason=f"failed: {error}")
    rows, text_bytes = map(int, done.last_line.split())
    return Peer(name=NAME, how=HOW, version=version, figures=Figures.of(done.use, rows=rows, text_bytes=text_bytes))
