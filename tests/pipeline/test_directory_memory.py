"""Pages of users are read by an engine without a disk, and nothing is lost on their way to the one that maps."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from shared.pipeline import directory
from shared.pipeline.directory import Asked
from shared.pipeline.engine import Engine, engine
from shared.ports import Answer, Call
from tests.pipeline.conftest import PEPPER, as_secret

USERS, PAGES = 999, 30
ASKED = Asked("employeeId", ())


def _pages() -> Iterator[bytes]:
    for page in range(PAGES):
        users = [{"id": f"{page}-{n}", "employeeId": f"quokka{page:03d}{n:03d}"} for n in range(USERS)]
        yield json.dumps({"value": users}).encode()


def test_no_id_is_on_the_disk_of_what_maps_the_learners() -> None:
    """What has no room goes to disk in whole blocks, with whatever lay in them before."""
    with engine(64) as columnar:
        columnar.set_pepper(as_secret(PEPPER))
        directory.read_users(columnar, _pages(), ASKED)
        columnar.run("create table wide as select uuid() as a, uuid() as b from range(4_000_000)")
        spilled = [file.read_bytes() for file in (columnar.folder / "spill").iterdir()]

        assert columnar.one("select count(distinct exact) from users") == USERS * PAGES

    assert sum(map(len, spilled)) > 20_000_000
    assert sum(content.count(b"quokka") for content in spilled) == 0


def test_the_engine_that_reads_them_has_no_disk_and_is_closed_before_another_one_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is found on a disk depends on luck; this does not."""
    told: list[str] = []
    run, close = Engine.run, Engine.close

    def watched_run(self: Engine, sql: str, values: Sequence[Any] | None = None) -> None:
        if "read_ndjson" in sql:
            told.append(f"read with disk {self.one("select current_setting('temp_directory')")!r}")
        elif self is columnar:
            told.append("main")
        run(self, sql, values)

    def watched_close(self: Engine) -> None:
        told.append("closed")
        close(self)

    with engine(64) as columnar:
        columnar.set_pepper(as_secret(PEPPER))
        monkeypatch.setattr(Engine, "run", watched_run)
        monkeypatch.setattr(Engine, "close", watched_close)
        directory.read_users(columnar, _pages(), ASKED)
        monkeypatch.undo()

    assert told == [*3 * ["read with disk ''"], "closed", "main", "main"]


class _Changes:
    """A delta in which most users come on many pages, each time with another id."""

    def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        raise AssertionError(f"A delta sends nothing: {calls}, {batch=}")

    def pages(self, url: str) -> Iterator[tuple[bytes, str | None]]:
        assert url == "old"
        for page in range(2 * PAGES):
            users = [{"id": str(n), "employeeId": f"quokka{page}"} for n in range(page, page + USERS)]
            yield json.dumps({"value": users}).encode(), "new" if page == 2 * PAGES - 1 else None


def test_the_last_word_on_a_user_counts_in_an_engine_that_keeps_no_order() -> None:
    """As the stages that plan have it; a second thread mixes what one might leave. Others had that id before."""
    with engine(128) as columnar:
        columnar.run("set threads = 2")
        columnar.set_pepper(as_secret(PEPPER))
        columnar.run("set preserve_insertion_order = false")
        directory.read_users(columnar, iter(()), ASKED)
        assert columnar.one("select count(*) from users") == 0

        assert directory._replay(columnar, _Changes(), "old", ASKED) == "new"

        last = f"keyed('person', 'quokka' || least({2 * PAGES - 1}, id::int))"
        assert columnar.rows(f"select count(*), count(*) filter (exact = {last}) from users") == [
            (USERS + 2 * PAGES - 1, USERS + 2 * PAGES - 1)
        ]
        assert {each.name for each in columnar.folder.iterdir()} <= {"spill"}
