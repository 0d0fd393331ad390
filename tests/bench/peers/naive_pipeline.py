"""The naive pipeline and the connector on packages that the former can still bear."""

import json
import tempfile
from pathlib import Path

from tests.bench import meter
from tests.bench.data import Data
from tests.bench.peers import environment
from tests.bench.result import Figures, Peer, Records

NAME = "naive pipeline"
HOW = "PGPy, zipfile, csv, one pydantic model a row, dicts, NDJSON"
REQUIREMENTS = Path(__file__).with_name("naive.txt")
TIMEOUT_SECONDS = 900.0
_ROOT = Path(__file__).parents[3]


def measure(data: Data, programs: Path, records: Records) -> Peer:
    """Let it work, once its packages are installed; whatever goes wrong is told in its row.

    `records` is what came of the package in the connector. Who does not find the same has not done the same work.
    """
    place = programs.parent
    version = f"PGPy {environment.version(place, 'PGPy')}, pydantic {environment.version(place, 'pydantic')}"
    with tempfile.TemporaryDirectory(prefix="naive-") as out:
        command = (programs / "python", "-m", "tests.bench.peers.naive")
        files = (data.package, data.keys.private, data.keys.passphrase, data.folder / "directory.csv")
        try:
            done = meter.run([*command, *files, out], folder=_ROOT, timeout_seconds=TIMEOUT_SECONDS)
        except meter.CommandError as error:
            return Peer(name=NAME, how=HOW, version=version, reason=f"failed: {error}")
    counts = json.loads(done.last_line)
    found = Records.model_validate(counts)
    if found != records:
        return Peer(name=NAME, how=HOW, version=version, reason=f"found {found}, the connector {records}")
    figures = Figures.of(done.use, rows=counts["rows"], text_bytes=counts["unpacked_bytes"])
    return Peer(name=NAME, how=HOW, version=version, figures=figures)
