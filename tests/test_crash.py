"""A worker that dies in the middle of its work: what it began is done once, by whoever comes next.

Sent twice would show: Graph makes a second activity of a create that comes again. Left out would show too: the same
package comes to the same Viva Learning as without the crash.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from infra.local.connection import NAME
from infra.local.generate import Generated, KeyFiles, Options, generate, make_keys
from infra.local.given import Given
from infra.local.graph.faults import Faults
from infra.local.sync import run_sync
from infra.local.tenant import Tenant
from shared.domain.runs import Outcome, Run, Step
from shared.pipeline import journal
from tests.reference import difference, read_viva

pytestmark = pytest.mark.slow

SYNC_SECONDS = 90
MOMENT_SECONDS = 30
LISTING_PAGES = 100_000
"""Empty pages that Graph gives before the first user: the listing lasts until somebody ends it."""
ENOUGH_WRITES = 500
"""Of about 3,000 activities."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    return make_keys(tmp_path_factory.mktemp("keys"), bits=2048, quick=True)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, keys: KeyFiles) -> Generated:
    options = Options(
        day=date(2026, 11, 1), learners=300, items=100, assignments=3000, completions=600, key=keys.public
    )
    return generate(tmp_path_factory.mktemp("world"), options)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, generated: Generated, keys: KeyFiles) -> list[str]:
    """What Viva Learning shows when nobody dies."""
    with tenant_of(tmp_path_factory.mktemp("undisturbed"), generated, keys) as tenant:
        assert run_sync(tenant, timeout_seconds=SYNC_SECONDS).outcome is Outcome.DONE
        return shown(tenant)


@contextmanager
def tenant_of(folder: Path, generated: Generated, keys: KeyFiles) -> Iterator[Tenant]:
    with Tenant(folder / "state", generated.now) as tenant:
        tenant.configure(
            Given.read(
                sftp=generated.sftp,
                private_key_files=[keys.private],
                passphrase_files=[keys.passphrase],
                directory=generated.directory,
                settings=[],
            )
        )
        yield tenant


def shown(tenant: Tenant) -> list[str]:
    export = tenant.state / "viva.ndjson"
    tenant.export_viva(export)
    return export.read_text(encoding="utf-8").splitlines()


def open_run(tenant: Tenant) -> Run:
    name = journal.get_state(tenant.parts, NAME).open_run
    assert name is not None, "no run is open"
    return journal.get_run(tenant.parts, NAME, name)


def die_at(tenant: Tenant, moment: Callable[[], bool]) -> None:
    """Begin a sync, and kill the worker at the moment."""
    tenant.start_worker()
    tenant.collect()
    deadline = time.monotonic() + MOMENT_SECONDS
    while not moment():
        tenant.worker.check()
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.005)
    tenant.kill_worker()


def assert_done_once(tenant: Tenant, undisturbed: list[str]) -> None:
    """A new worker and the same sync again come to the same end."""
    ending = run_sync(tenant, timeout_seconds=SYNC_SECONDS)

    assert (ending.outcome, ending.code, ending.message) == (Outcome.DONE, None, "")
    lines = shown(tenant)
    assert difference(read_viva(undisturbed), read_viva(lines)) == ""
    activities = [json.loads(line).get("externalcourseActivityId") for line in lines]
    activities = [each for each in activities if each is not None]
    assert len(set(activities)) == len(activities) > ENOUGH_WRITES
    assert tenant.graph.duplicate_activities() == 0
    (run,) = journal.list_runs(tenant.parts, NAME)
    assert run.outcome is Outcome.DONE
    assert run.tally.adds_up()
    assert run.tally.contents.published == sum('"learningContent"' in line for line in lines)
    again = run_sync(tenant, timeout_seconds=SYNC_SECONDS)
    assert (again.outcome, again.runs, again.writes) == (Outcome.DONE, (), 0)


def test_a_package_that_was_half_read_is_read_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    generated: Generated,
    keys: KeyFiles,
    undisturbed: list[str],
) -> None:
    """The manifest comes last, so nothing counts of what the dead worker has read."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with tenant_of(tmp_path, generated, keys) as tenant:
        monkeypatch.setenv("TMPDIR", str(scratch))
        die_at(tenant, lambda: any(scratch.glob("lms-*/staged/*/*")))
        run = open_run(tenant)

        assert run.step is Step.PROCESSING
        assert not list(tenant.parts.records.list_paths(f"{NAME}/{run.run_id}/manifest.json"))
        assert_done_once(tenant, undisturbed)


def test_a_directory_that_was_half_listed_is_listed_again(
    tmp_path: Path, generated: Generated, keys: KeyFiles, undisturbed: list[str]
) -> None:
    """Half a directory would leave half of the learners unmapped."""
    with tenant_of(tmp_path, generated, keys) as tenant:
        tenant.graph.inject(Faults(empty_pages=LISTING_PAGES))
        die_at(tenant, lambda: tenant.graph.counters().reads.get("users", 0) >= 10)
        tenant.graph.inject(Faults())

        assert open_run(tenant).step is Step.MAPPING
        assert tenant.graph.counters().writes == 0
        assert_done_once(tenant, undisturbed)


def test_what_was_sent_without_a_receipt_is_not_sent_again(
    tmp_path: Path, generated: Generated, keys: KeyFiles, undisturbed: list[str]
) -> None:
    """The dead worker took with it what Graph has answered; Graph itself has to be asked."""
    with tenant_of(tmp_path, generated, keys) as tenant:
        die_at(tenant, lambda: tenant.graph.counters().written.get("POST activities", 0) >= ENOUGH_WRITES)
        sent = tenant.graph.counters().written["POST activities"]

        assert open_run(tenant).step is Step.PUSHING_ACTIVITIES
        assert sent < len(undisturbed) * 0.9
        assert_done_once(tenant, undisturbed)
