"""The same full package twice, published both times: the second one sends nothing and takes no longer."""

from dataclasses import replace
from datetime import time
from pathlib import Path

from infra.local import generate, sync
from infra.local.given import Given
from infra.local.tenant import Tenant
from shared.cli.follow import Tell
from tests.bench.data import NOW, Sizes, make, options
from tests.bench.result import Again
from tests.bench.stages import BenchError

MOST_ROWS = 20_000
"""Assignments; every one becomes a request to the simulator of Graph, which takes most of the time."""


def measure(folder: Path, sizes: Sizes, tell: Tell) -> Again:
    """Publish a full package of at most so many rows, then one that was made an hour later of the same tables.

    Raises:
        BenchError: one of the syncs did not go as it should.
    """
    sizes = Sizes.of(min(sizes.rows, MOST_ROWS))
    data = make(folder / "first", sizes)
    later = generate.generate(folder / "second", replace(options(sizes), time=time(1), key=data.keys.public))
    with Tenant(folder / "state", NOW) as tenant:
        tenant.configure(data.given())
        first = _sync(tenant, tell)
        tenant.configure(Given(sftp=later.packages[0].parent))
        second = _sync(tenant, tell)
    return Again(
        rows=sizes.rows,
        first_seconds=first.seconds,
        second_seconds=second.seconds,
        first_writes=first.writes,
        second_writes=second.writes,
    )


def _sync(tenant: Tenant, tell: Tell) -> sync.Ending:
    ending = sync.run_sync(tenant, tell=tell)
    if ending.outcome not in ("done", "partial") or len(ending.runs) != 1:
        raise BenchError(f"The sync ended as {ending.outcome} {ending.code or ''}. {ending.message}".strip())
    return ending
