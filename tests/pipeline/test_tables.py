"""What the packages so far amount to, table by table."""

from collections.abc import Sequence
from typing import Any

from shared.domain.profile import Profile, Table
from shared.pipeline import staging
from shared.pipeline.engine import Engine, parquet
from shared.pipeline.table_parts import LocalPart
from tests.pipeline.conftest import stage

SOME = Table.model_validate({"columns": {"ID": {"key": True}, "WORTH": {}}})
PROFILE = Profile(name="p", version=1, file_pattern="x", tables={"SOME": SOME}, language_tags={})


def rows_of(columnar: Engine, parts: Sequence[LocalPart]) -> list[tuple[Any, ...]]:
    return columnar.rows(f"select ID, WORTH from {parquet([part.file for part in parts])} order by ID")


def test_a_table_that_is_read_in_many_segments_is_kept_in_few_parts(columnar: Engine) -> None:
    """Every pass over some learners looks into every part, which is in the order of places for that."""
    content = "".join(f"{number},worth {number}\n" for number in range(100))

    staged = stage(columnar, SOME, f"ID,WORTH\n{content}".encode(), segment_bytes=100).staged

    segments = -(-len(content) // 100)
    assert segments // staging.SEGMENTS_PER_PART <= len(staged.parts) <= segments / staging.SEGMENTS_PER_PART + 1
    assert rows_of(columnar, staged.parts) == sorted((str(number), f"worth {number}") for number in range(100))
    for part in staged.parts:
        places = [place for (place,) in columnar.rows(f"select place from {parquet([part.file])}")]
        assert places == sorted(places)
