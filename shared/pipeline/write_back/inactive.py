"""How many parked completions would be parked again, because their learners are still not active in the LMS."""

from collections.abc import Sequence
from contextlib import ExitStack

from shared.domain.batches import Kind
from shared.domain.errors import BusyError, TransientError
from shared.domain.write_back import Completion, Identity
from shared.pipeline.write_back.opened import Desk
from shared.pipeline.write_back.outbox import kind_of
from shared.pipeline.write_back.pace import Pacer
from shared.pipeline.write_back.push import lease_of
from shared.pipeline.write_back.session import Session


def count_inactive(desk: Desk, stems: Sequence[str]) -> int | None:
    """Count the parked completions of batches whose learners the LMS lists as not active; `None` if it cannot say now.

    Reads the whole list, a page after the other at the pace of reads: for a person at a terminal, not for a function.
    With external references for learners it cannot say either, for the list has the LMS's own ids.

    Raises:
        SettingsError: the login is refused, or the key of the outbox may not be read.
    """
    if desk.write_back.identity is Identity.EXTERNAL_REFERENCE:
        return None
    learners = [
        record.learner
        for stem in stems
        if kind_of(stem) is Kind.COMPLETIONS
        for _, record in desk.outbox.get(desk.outbox.parked_path(stem), Kind.COMPLETIONS)
        if isinstance(record, Completion)
    ]
    if not learners:
        return 0
    try:
        inactive = _ask(desk)
    except (BusyError, TransientError):
        return None
    return sum(learner in inactive for learner in learners)


def _ask(desk: Desk) -> set[str]:
    # The LMS wants no parallel calls: not while somebody is sending.
    with desk.parts.leases.hold(lease_of(desk.connection)), ExitStack() as stack:
        pacer = Pacer(desk.parts, desk.connection, desk.write_back)
        try:
            return Session(desk.parts, desk.write_back, pacer, stack).list_inactive()
        finally:
            pacer.keep()
