"""`python -m tests.bench.sftp`: that it still measures. Its figures are for people; none is asserted."""

import pytest

from infra.local.sftp import find_sshd
from tests.bench.sftp import line_speed, lines, measure


@pytest.mark.slow
@pytest.mark.skipif(find_sshd() is None, reason="there is no sshd here")
def test_both_clients_are_measured_near_and_far() -> None:
    measured = measure(file_bytes=1_000_000, far_seconds=0.01, rounds=1)

    for pair in (measured.near, measured.far):
        assert pair.ratio == pytest.approx(pair.ours_bytes_per_second / pair.theirs_bytes_per_second)
        assert pair.file_bytes == 1_000_000
    assert measured.far.line == "10 ms"
    assert 0 < measured.reading_memory_bytes < measured.peak_memory_bytes
    assert len(list(lines(measured))) == 3
    assert line_speed(file_bytes=100_000, far_seconds=0.01).startswith("The line of 10 ms carries ")
