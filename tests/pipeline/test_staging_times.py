"""Times that are written in several ways in one file."""

import pytest

from shared.pipeline.engine import Engine
from tests.pipeline.conftest import stage
from tests.pipeline.test_staging import HEADER, TYPED


@pytest.mark.parametrize("segment_bytes", [60, 1000])
def test_times_may_be_written_in_another_way_from_some_record_on(columnar: Engine, segment_bytes: int) -> None:
    """What reads the usual ones alone is tried first. One that nobody can read is told on its line all the same."""
    times = [
        "2026-03-31 17:00:00",
        "2026-03-31",
        "2026-03-31T17:00:00+02:00",
        "soon",
        " 2026-03-31 17:00:00 ",
        "",
        "1774969200000",
        "2026-03-31 17:00:00",
    ]
    content = "".join(f"{number},quokka,7,Y,{at},,90\n" for number, at in enumerate(times))

    result = stage(columnar, TYPED, f"{HEADER}\n{content}".encode(), zone="Europe/Berlin", segment_bytes=segment_bytes)

    at, midnight = "2026-03-31 15:00:00", "2026-03-30 22:00:00"
    assert [(row[1], str(row[6])) for row in result.rows] == [
        *[("0", at), ("1", midnight), ("2", at), ("4", at)],
        *[("5", "None"), ("6", at), ("7", at)],
    ]
    assert result.rejects == [(5, "AT", "CONN_ERROR_FIELD_INVALID")]
