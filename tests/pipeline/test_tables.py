"""What the packages so far amount to, table by table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.domain.package import Kind
from shared.domain.profile import Profile, Table
from shared.pipeline import tables
from shared.pipeline.engine import Engine, parquet
from shared.pipeline.table_parts import LocalPart
from shared.pipeline.tables import Merger
from tests.pipeline.conftest import stage

SOME = Table.model_validate({"columns": {"ID": {"key": True}, "WORTH": {}}})
PROFILE = Profile(name="p", version=1, file_pattern="x", tables={"SOME": SOME}, language_tags={})


def rows_of(columnar: Engine, parts: Sequence[LocalPart]) -> list[tuple[Any, ...]]:
    return columnar.rows(f"select ID, WORTH from {parquet([part.file for part in parts])} order by ID")


def test_a_table_that_was_read_in_many_parts_is_kept_in_fewer(
    columnar: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pass over some learners looks into every part; each is in the order of places, as before."""
    monkeypatch.setattr(tables, "MANY_PARTS", 5)
    content = "".join(f"{number},worth {number}\n" for number in range(100))
    staged = stage(columnar, SOME, f"ID,WORTH\n{content}".encode(), segment_bytes=100).staged
    assert len(staged.parts) > 5
    before = rows_of(columnar, staged.parts)

    merged = Merger(columnar, PROFILE, Kind.FULL, tmp_path).merge("SOME", staged=staged, keys=None, old=None)

    assert merged.parts is not None
    assert len(merged.parts) == -(-len(staged.parts) // tables.PARTS_JOINED)
    assert rows_of(columnar, merged.parts) == before
    for part in merged.parts:
        places = [place for (place,) in columnar.rows(f"select place from {parquet([part.file])}")]
        assert places == sorted(places)
    assert not any(part.file.exists() for part in staged.parts)
