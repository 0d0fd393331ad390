"""Another source time zone: calendar days move, and nothing that has been published is published again."""

from tests.company import ADA, FULL, NOBODY, done, full
from tests.desk import Desk

LATER = FULL.replace("20261101", "20261102")


def test_a_completion_is_not_published_again_on_another_day(desk: Desk) -> None:
    """Its time says its own offset, so that the day on which it was depends on the zone, and its id does not."""
    row = done(ADA, 2, COMPL_DTE="2026-10-20T23:30:00Z")
    desk.drop(FULL, full(PA_CPNT_EVTHST=[row]))
    assert desk.sync().runs[0].tally.completions.published == 1
    desk.set(source_time_zone="Pacific/Auckland")
    desk.pass_time(86_400)
    desk.drop(LATER, full(PA_CPNT_EVTHST=[row, done(NOBODY, 5)]))

    for dry_run in (True, False):
        run = desk.sync(dry_run=dry_run).runs[0]

        assert (run.changes.completions.add, run.tally.completions.published) == (0, 0), dry_run
