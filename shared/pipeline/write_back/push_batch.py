"""Send the completions of one batch, so that any number of tries has the effect of one.

The LMS changes no completion that it has: what was sent once is never sent again, with another grade neither. Before
a request is made, the batch's progress says which completions are on the way. One whose outcome nobody knows is looked
up in the LMS where that can be asked; where it cannot, the connection says what becomes of it (`on_unknown`).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice

from shared.domain.errors import Code, SettingsError
from shared.domain.write_back import Completion, Fate, Receipt
from shared.pipeline.write_back.opened import ALREADY, UNKNOWN_OUTCOME, Opened
from shared.pipeline.write_back.pace import Asked, at_once
from shared.pipeline.write_back.session import Pause, Session

_AGAIN_AFTER = timedelta(minutes=1)
"""How long completions stay away that could not be recorded now."""


class BatchPush:
    """One batch on its way."""

    def __init__(self, opened: Opened, session: Session, most: int | None) -> None:
        """Take a batch; `most` is how many of its completions may be sent."""
        self._opened = opened
        self._session = session
        self._progress = opened.progress
        self._write_back = opened.desk.write_back
        self._per_request = self._write_back.completions_per_request
        self._at_once = at_once(self._write_back.completions_pace)
        self._announced: set[int] = set()
        self._in_doubt: list[int] = []
        self._reads_back = self._write_back.read_back or most is not None
        self.left = most

    def run(self) -> bool:
        """Send what has not been sent; tell whether the batch has come to its end.

        Raises:
            Pause: the LMS has to be left alone for a while.
            SettingsError: somebody has to change something.
        """
        self._leave_out_known()
        try:
            self._look_up_unknown()
            self._send_known()
        finally:
            self._progress.keep()
        if self._opened.pending:
            return False
        self._opened.finish()
        return True

    def _leave_out_known(self) -> None:
        """Settle what was sent before, in this batch or in another one."""
        keys, progress = self._opened.keys, self._progress
        first = {keys[number][0]: number for number in reversed(range(len(self._opened.records)))}
        pending = self._opened.pending
        known = self._opened.desk.receipts.find(keys[number][0] for number in pending)
        for number in pending:
            digest, content = keys[number]
            sent = known.get(digest)
            is_taken = sent is not None and sent.is_taken
            if is_taken or first[digest] != number:
                before = sent.content if is_taken and sent else keys[first[digest]][1]
                progress.grade_changes += before != content
                progress.settle(number, ALREADY)

    def _look_up_unknown(self) -> None:
        for number in self._progress.sending:
            completion = self._resolved(number)
            recorded = None if completion is None else self._session.is_recorded(completion)
            if recorded:
                self._progress.settle(number, Receipt(fate=Fate.DONE))
            elif recorded is None and completion is not None and self._write_back.on_unknown == "park":
                self._progress.settle(number, UNKNOWN_OUTCOME)
        self._progress.release()

    def _send_known(self) -> None:
        """Send what is not on the way, and see that only that is held for being so which may be."""
        try:
            self._send_all()
        except (Pause, SettingsError):
            self._progress.release(but=self._in_doubt)
            raise

    def _send_all(self) -> None:
        pending = deque(self._opened.pending)
        again = False
        while pending and self.left != 0:
            self._session.wait(Asked.COMPLETIONS)
            chunk: list[tuple[int, Completion]] = []
            most = self._per_request if self.left is None else min(self._per_request, self.left)
            while pending and len(chunk) < most:
                if (completion := self._resolved(pending[0])) is not None:
                    chunk.append((pending[0], completion))
                pending.popleft()
            if chunk:
                again |= self._send(chunk, pending)
        if again and self.left != 0:
            raise Pause(Asked.COMPLETIONS, self._opened.desk.parts.clock() + _AGAIN_AFTER)

    def _send(self, chunk: list[tuple[int, Completion]], others: Iterable[int]) -> bool:
        """Send some in one request, before others; tell whether any of them may be sent again."""
        numbers = [number for number, _ in chunk]
        try:
            receipts = self._session.send_completions(
                [completion for _, completion in chunk], before=lambda: self._announce(numbers, others)
            )
        except (Pause, SettingsError) as error:
            # A request that was refused as a whole recorded nothing.
            is_refused = error.code is Code.LMS_REQUESTS_LIMIT or isinstance(error, SettingsError)
            self._in_doubt = [] if is_refused else numbers
            raise
        for number, receipt in zip(numbers, receipts, strict=True):
            self._progress.settle(number, receipt)
        if self.left is not None:
            self.left -= len(chunk)
        if self._reads_back:
            self._read_back([each for (_, each), receipt in zip(chunk, receipts, strict=True) if is_done(receipt)])
        return any(receipt.fate is Fate.RETRY for receipt in receipts)

    def _read_back(self, completions: Sequence[Completion]) -> None:
        """Look whether what was taken stands in the history; what the LMS cannot tell is not counted."""
        for completion in completions:
            recorded = self._session.is_recorded(completion)
            self._progress.confirmed += recorded is True
            self._progress.unconfirmed += recorded is False

    def _announce(self, numbers: Sequence[int], others: Iterable[int]) -> None:
        """Note what is being sent; where many go in a second, also what goes next, to note it less often."""
        if self._announced.issuperset(numbers):
            return
        self._announced = {*numbers, *islice(others, self._at_once - len(numbers))}
        self._progress.begin(sorted(self._announced))

    def _resolved(self, number: int) -> Completion | None:
        """Return the completion with the LMS's own id of its learner; one who is not exactly one is parked."""
        completion = self._opened.records[number][1]
        assert isinstance(completion, Completion)  # noqa: S101 - the path of a batch says what it holds
        users = self._session.find_users(completion.learner)
        if len(users) == 1:
            return completion.model_copy(update={"learner": users[0]})
        if users:
            code, reason = Code.LEARNER_AMBIGUOUS, "Several users have the external reference of its learner."
        else:
            code, reason = Code.LEARNER_UNKNOWN, "No user has the external reference of its learner."
        self._progress.settle(number, Receipt(fate=Fate.PARKED, code=code, reason=reason))
        return None


def is_done(receipt: Receipt) -> bool:
    """Tell whether the LMS says that it has recorded a completion."""
    return receipt.fate is Fate.DONE
