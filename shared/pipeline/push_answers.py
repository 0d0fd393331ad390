"""What follows from each answer: a receipt, another call, or nothing before the next attempt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.domain.errors import Code
from shared.domain.plan import Act, Operation, Receipt, Verdict
from shared.domain.verdicts import Decision, Judgement, judge
from shared.pipeline.push_calls import is_same, learnable
from shared.pipeline.push_shards import Past
from shared.ports import Answer

RETRIES = 2
"""Further tries of one call within an attempt."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be sent next for an operation; `act` is `None` for a look-up."""

    operation: Operation
    act: Act | None
    graph_id: str | None = None
    retries: int = 0
    was_looked_up: bool = False
    may_create: bool = True
    """Whether what is not found is made: not right after a call whose outcome is unknown."""
    is_alternate: bool = False
    shortened: frozenset[str] = frozenset()
    """Fields that were too long and have been cut."""


class Ledger:
    """What is decided and what is open, while an attempt goes on."""

    def __init__(self, operations: Sequence[Operation], past: Past) -> None:
        self.verdicts = {receipt.number: receipt.verdict for receipt in past.receipts}
        self.pending = {op.number: op for op in operations if op.number not in self.verdicts}
        known = self.pending.keys() if past.open_numbers is None else past.open_numbers & self.pending.keys()
        self.open = set(known)
        """Sent without a decision so far: a create among them may have been carried out."""
        self.receipts: list[Receipt] = []
        self.limits: dict[str, int] = {}
        """Longest titles and descriptions, once Graph has said so."""
        self.pause_seconds: float | None = None
        self.stop: Judgement | None = None
        self.deleted_ids = {op.graph_id for op in operations if op.act is Act.DELETE}
        self._deletes = {op.key: op.number for op in operations if op.act is Act.DELETE}
        self._unlicensed = {op.person for op in operations if self.verdicts.get(op.number) is Verdict.UNLICENSED} - {
            None
        }

    def decide(
        self,
        operation: Operation,
        verdict: Verdict,
        graph_id: str | None = None,
        code: Code | None = None,
        reason: str = "",
    ) -> None:
        """Give the operation its receipt."""
        number = operation.number
        self.receipts.append(
            Receipt(
                number=number,
                act=operation.act,
                key=operation.key,
                verdict=verdict,
                graph_id=graph_id,
                code=code,
                reason=reason,
            )
        )
        self.verdicts[number] = verdict
        self.pending.pop(number)
        self.open.discard(number)
        if verdict is Verdict.UNLICENSED and operation.person is not None:
            self._unlicensed.add(operation.person)

    def holds_back(self, task: Task) -> bool:
        """Leave out, or decide without sending, what depends on the fate of another operation."""
        operation = task.operation
        if operation.act is Act.DELETE:
            return False
        predecessor = self._deletes.get(operation.key)
        if predecessor is not None and self.verdicts.get(predecessor) is not Verdict.DONE:
            if predecessor in self.verdicts:
                reason = "What it replaces could not be deleted"
                self.decide(operation, self.verdicts[predecessor], None, Code.RECORD_REFUSED, reason)
            return True
        # One that is open may exist already, so it is looked at even when the learner has no licence now.
        if operation.person in self._unlicensed and operation.number not in self.open:
            self.decide(operation, Verdict.UNLICENSED, reason="The learner has no licence for Viva Learning")
            return True
        return False


def settle(task: Task, answer: Answer, ledger: Ledger) -> Task | None:
    """Decide the operation, or return what to send next for it; neither leaves it to the next attempt."""
    judgement = judge(task.act, answer.status, answer.body)
    return _FOLLOWS[judgement.decision](task, answer, judgement, ledger)


def _done(task: Task, answer: Answer, _: Judgement, ledger: Ledger) -> Task | None:
    operation = task.operation
    if task.act is None:
        return _found(task, answer.body, ledger)
    if task.act is Act.DELETE and operation.act is not Act.DELETE:
        return Task(operation, Act.CREATE, was_looked_up=True)
    graph_id = task.graph_id
    if task.act in {Act.UPSERT_CONTENT, Act.CREATE}:
        graph_id = answer.body.get("id") or operation.graph_id
        if not isinstance(graph_id, str):
            # Accepted, without saying as what.
            return Task(operation, None, was_looked_up=True, may_create=False)
    ledger.decide(operation, Verdict.DONE, graph_id)
    return None


def _found(task: Task, body: Mapping[str, Any], ledger: Ledger) -> Task | None:
    operation, graph_id = task.operation, body.get("id")
    if not isinstance(graph_id, str) or graph_id in ledger.deleted_ids:
        return None  # What is deleted and still shown hides what was made after it.
    if operation.act is Act.UPSERT_CONTENT:
        ledger.decide(operation, Verdict.DONE, graph_id)
        return None
    if operation.act is Act.ENSURE:
        # With another id it is one that was made without an answer, or by somebody else.
        ledger.decide(operation, Verdict.FOUND if graph_id == operation.graph_id else Verdict.DONE, graph_id)
        return None
    act = Act.UPDATE if is_same(body, operation.body or {}) else Act.DELETE
    return Task(operation, act, graph_id, was_looked_up=True)


def _gone(task: Task, _: Answer, __: Judgement, ledger: Ledger) -> Task | None:
    operation = task.operation
    if operation.act is Act.DELETE:
        ledger.decide(operation, Verdict.DONE, task.graph_id)
        return None
    if task.act is None and (operation.act is Act.UPSERT_CONTENT or not task.may_create):
        return None  # Accepted, perhaps, and not yet visible.
    ledger.open.discard(operation.number)
    return Task(operation, Act.CREATE, was_looked_up=True)


def _look_up(task: Task, _: Answer, __: Judgement, ___: Ledger) -> Task | None:
    if task.was_looked_up:
        return None
    return Task(task.operation, None, was_looked_up=True, may_create=task.act is Act.UPDATE)


def _look_up_then_create(task: Task, _: Answer, __: Judgement, ___: Ledger) -> Task | None:
    """Look at once; if it is not there, the call may be under way; only the next attempt creates."""
    return Task(task.operation, None, was_looked_up=True, may_create=False)


def _retry(task: Task, _: Answer, judgement: Judgement, ledger: Ledger) -> Task | None:
    if task.retries < RETRIES:
        return replace(task, retries=task.retries + 1)
    if judgement.code is not None:
        ledger.stop = ledger.stop or judgement
    return None


def _retry_later(task: Task, answer: Answer, _: Judgement, ledger: Ledger) -> None:
    ledger.pause_seconds = max(ledger.pause_seconds or 0.0, answer.retry_after_seconds or 0.0)
    # A throttled call is not carried out; one that was unavailable may have been.
    if answer.status == 429 and task.act is task.operation.act:  # noqa: PLR2004 - Too Many Requests
        ledger.open.discard(task.operation.number)


def _alternate(task: Task, answer: Answer, judgement: Judgement, ledger: Ledger) -> Task | None:
    if not task.is_alternate:
        return replace(task, is_alternate=True)
    _reject(task, answer, judgement, ledger)
    return None


def _shorten(task: Task, answer: Answer, judgement: Judgement, ledger: Ledger) -> Task | None:
    limits = learnable(judgement.limits)
    # There is nothing that may be cut, or it was cut before.
    if limits.keys() <= task.shortened:
        _reject(task, answer, judgement, ledger)
        return None
    ledger.limits |= limits
    return replace(task, shortened=task.shortened | limits.keys())


def _unlicensed(task: Task, _: Answer, judgement: Judgement, ledger: Ledger) -> None:
    ledger.decide(task.operation, Verdict.UNLICENSED, task.graph_id, None, judgement.reason)


def _reject(task: Task, _: Answer, judgement: Judgement, ledger: Ledger) -> None:
    ledger.decide(task.operation, Verdict.REJECTED, task.graph_id, judgement.code, judgement.reason)


def _stop(_: Task, __: Answer, judgement: Judgement, ledger: Ledger) -> None:
    ledger.stop = ledger.stop or judgement


_FOLLOWS: Mapping[Decision, Callable[[Task, Answer, Judgement, Ledger], Task | None]] = {
    Decision.DONE: _done,
    Decision.ALREADY_GONE: _gone,
    Decision.LOOK_UP: _look_up,
    Decision.LOOK_UP_THEN_CREATE: _look_up_then_create,
    Decision.RETRY: _retry,
    Decision.RETRY_LATER: _retry_later,
    Decision.ALTERNATE: _alternate,
    Decision.SHORTEN: _shorten,
    Decision.UNLICENSED: _unlicensed,
    Decision.REJECT: _reject,
    Decision.STOP: _stop,
}
