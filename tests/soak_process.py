"""Sixty days of one tenant in a process of its own, for `test_soak.py`: one worker, one package and its keys a day.

Prints a line of JSON a day: what is stored where, and the most memory the process has used on that day.
"""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.local.generate.damage import Damage
from infra.local.generate.options import FIRST_DAY, Kind, Options
from infra.local.generate.packages import KEYS_AFTER, _write_directory, members
from infra.local.generate.sealing import write_zip
from infra.local.generate.tables import PRIMARY_KEYS
from infra.local.generate.world import World
from infra.local.graph import GraphSimulator
from shared.pipeline import journal
from shared.pipeline.sweep import sweep
from tests.desk import NAME, Desk
from tests.fakes import MemoryBlobs, MemoryDocuments, MemoryLeases, MemoryTable

DAYS = 60
RETENTION_DAYS = 5
IN_FOLDER_DAYS = 10
"""After which the LMS clears its folder."""
WORLD = Options(day=FIRST_DAY, learners=300, items=100, assignments=3000, completions=1000)
SETTINGS = {
    "report_retention_days": RETENTION_DAYS,
    "work_retention_days": RETENTION_DAYS,
    "sealed_retention_days": RETENTION_DAYS,
}


def live(folder: Path) -> None:
    with World.of(WORLD) as world, GraphSimulator(folder / "graph") as graph:
        desk = Desk(graph, SETTINGS)
        dropped: dict[str, datetime] = {}
        for number in range(DAYS):
            midnight = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=number)
            world.move_to(midnight.date())
            _write_directory(folder / "directory.csv", world)
            graph.load_directory(folder / "directory.csv")
            for kind in (Kind.DELTA, Kind.KEYS) if number else (Kind.FULL,):
                stamp = midnight + (KEYS_AFTER if kind is Kind.KEYS else timedelta())
                file = f"acme_{kind.letter}_{stamp:%Y%m%d%H%M%S}.zip.pgp"
                packed = BytesIO()
                write_zip(packed, members(world, kind, Damage(())))
                desk.folder.files[file], dropped[file] = packed.getvalue(), midnight
            for file in [file for file, at in dropped.items() if at < midnight - timedelta(days=IN_FOLDER_DAYS)]:
                del desk.folder.files[file], dropped[file]
            forget_peak_memory()
            desk.now = midnight + timedelta(hours=6)
            sync = desk.sync()
            desk.now += timedelta(hours=1)
            sweep(desk.parts)
            told = {
                "day": number + 1,
                "outcome": sync.outcome,
                "rows": sum(world.count(f"FROM {table}") for table in PRIMARY_KEYS),
                "peak_kib": peak_memory_kib(),
                "oldest_replaced_days": oldest_replaced_days(desk),
                "stored": stored(desk),
            }
            print(json.dumps(told), flush=True)  # noqa: T201 - for the test
        desk.close()


def oldest_replaced_days(desk: Desk) -> float:
    """Return the age of the oldest table that nothing points to."""
    state = journal.get_state(desk.parts, NAME)
    replaced = [path for path in desk.parts.tables.list_paths("") if path not in state.paths]
    begun = [datetime.strptime(path.split("/")[1][:15] + "Z", "%Y%m%dT%H%M%S%z") for path in replaced]
    return max(((desk.now - each) / timedelta(days=1) for each in begun), default=0)


def stored(desk: Desk) -> dict[str, Any]:
    """Count what is in every container and table, and its bytes; of `tables`, what is pointed to."""
    parts = desk.parts
    told: dict[str, Any] = {}
    for name in ("sealed", "records", "pushes", "reports", "directory"):
        blobs = getattr(parts, name)
        assert isinstance(blobs, MemoryBlobs)
        told[name] = {"count": len(blobs.content), "bytes": sum(map(len, blobs.content.values()))}
    published = [len(parts.tables.get(path)) for path in journal.get_state(parts, NAME).paths]
    told["tables"] = {"count": len(published), "bytes": sum(published)}
    for name in ("runs", "states", "directory_index"):
        documents = getattr(parts, name)
        assert isinstance(documents, MemoryDocuments)
        texts = [json.dumps(document.value) for document in documents._documents.values()]
        told[name] = {"count": len(texts), "bytes": sum(map(len, texts))}
    for name in ("ledger", "syncs"):
        table = getattr(parts, name)
        assert isinstance(table, MemoryTable)
        texts = [json.dumps(row) for rows in table.rows.values() for row in rows.values()]
        told[name] = {"count": len(texts), "bytes": sum(map(len, texts))}
    assert isinstance(parts.leases, MemoryLeases)
    told["leases"] = {"count": len(parts.leases.known), "bytes": 0}
    told["uncommitted"] = {"count": len(desk.intake.blocks), "bytes": 0}
    return told


def forget_peak_memory() -> None:
    """Let the kernel count the most memory anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory_kib() -> int:
    """Return the most memory since then."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(line.split()[1])


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        live(Path(place))
