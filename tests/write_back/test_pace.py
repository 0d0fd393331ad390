"""The pace: never more requests than allowed in any window, whoever makes them."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.write_back import Pace, WriteBack
from shared.pipeline.write_back.pace import Asked, Pacer
from tests.desk import START
from tests.fakes import MemoryDocuments
from tests.write_back.conftest import WRITE_BACK


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> object:
        return self.now


@given(
    requests=st.integers(1, 40),
    seconds=st.sampled_from([0.5, 1.0, 7.0, 60.0, 300.0]),
    steps=st.lists(st.floats(0, 20), min_size=1, max_size=120),
    deaths=st.sets(st.integers(0, 119)),
)
def test_no_window_ever_holds_more_than_is_allowed(
    requests: int, seconds: float, steps: list[float], deaths: set[int]
) -> None:
    """However the requests are spread, and although the worker is another one every now and then."""
    clock = Clock()
    parts = SimpleNamespace(pushing=MemoryDocuments(), clock=clock)
    pace = Pace(requests=requests, seconds=seconds)
    write_back = WriteBack.model_validate({**WRITE_BACK, "completions_pace": pace.model_dump()})
    made = []
    pacer = Pacer(parts, "acme", write_back)  # type: ignore[arg-type]  # all it asks for
    for number, step in enumerate(steps):
        clock.now += timedelta(seconds=step)
        if number in deaths:
            pacer = Pacer(parts, "acme", write_back)  # type: ignore[arg-type]  # the same
        if not pacer.wait_seconds(Asked.COMPLETIONS):
            pacer.take(Asked.COMPLETIONS)
            made.append(clock.now)
            pacer.settle(Asked.COMPLETIONS)

    window = timedelta(seconds=seconds)
    for at in made:
        assert sum(at - window < each <= at for each in made) <= requests


def test_what_waits_long_enough_is_allowed() -> None:
    clock = Clock()
    parts = SimpleNamespace(pushing=MemoryDocuments(), clock=clock)
    write_back = WriteBack.model_validate({**WRITE_BACK, "courses_pace": {"requests": 1, "seconds": 300}})
    pacer = Pacer(parts, "acme", write_back)  # type: ignore[arg-type]  # all it asks for
    pacer.take(Asked.COURSES)

    assert pacer.wait_seconds(Asked.COURSES) == pytest.approx(300)
    clock.now += timedelta(seconds=300)
    assert pacer.wait_seconds(Asked.COURSES) == 0
