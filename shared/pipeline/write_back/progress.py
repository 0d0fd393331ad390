"""How far the sending of one batch has come: what became of its records, and which of them are on the way.

Written before a request is made and not again before the next one, so that a worker who is killed leaves behind which
records may have been recorded without an answer. Results are moved into blobs of their own every now and then: what is
written with each request stays small. Records are told by their number in the batch; nothing here is about a person.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import Field, TypeAdapter

from shared.domain.batches import Batch, Stand
from shared.domain.strict import Strict
from shared.domain.write_back import Fate, Receipt
from shared.ports import Blobs

SLICE = 200
"""Results that are moved away together."""
MOST_TRIES = 5
"""After which a record that could be sent again is parked."""

type _Row = tuple[int, Receipt]

_ROWS: TypeAdapter[list[_Row]] = TypeAdapter(list[tuple[int, Receipt]])


class _Kept(Strict):
    slices: int = 0
    results: tuple[tuple[int, Receipt], ...] = ()
    """Since the last slice."""
    sending: tuple[int, ...] = ()
    tries: dict[int, int] = Field(default={})
    fates: dict[Fate, int] = Field(default={})
    grade_changes: int = 0
    confirmed: int = 0
    unconfirmed: int = 0


class Progress:
    """The progress of one batch, in the hands of who holds its connection's lease."""

    def __init__(self, outbox: Blobs, folder: str) -> None:
        """Read what is kept in a folder, `<connection>/waiting/<stem>`."""
        self._outbox = outbox
        self._folder = folder
        self._kept = read(outbox, folder)
        self._slices = self._kept.slices
        self._fresh: list[_Row] = list(self._kept.results)
        self.sending: Sequence[int] = self._kept.sending
        """Records whose fate is not known: they were being sent when somebody stopped."""
        self.tries: Counter[int] = Counter(self._kept.tries)
        self.grade_changes = self._kept.grade_changes
        self.confirmed, self.unconfirmed = self._kept.confirmed, self._kept.unconfirmed
        self.results: dict[int, Receipt] = {}
        for number in range(self._slices):
            self.results.update(_ROWS.validate_json(outbox.get(self._slice_path(number))))
        self.results.update(self._fresh)
        self._fates = Counter(each.fate for each in self.results.values())
        self._changed = False

    @property
    def fates(self) -> dict[Fate, int]:
        """Return how many records have met which fate."""
        return dict(sorted(self._fates.items()))

    def begin(self, numbers: Iterable[int]) -> None:
        """Note that these are being sent; it is kept before this returns."""
        self.sending = tuple(numbers)
        self._changed = True
        self.keep()

    def settle(self, number: int, receipt: Receipt) -> None:
        """Note what became of a record; one that may be sent again is counted, and parked in the end."""
        self._changed = True
        self.sending = tuple(each for each in self.sending if each != number)
        if receipt.fate is Fate.RETRY:
            self.tries[number] += 1
            if self.tries[number] < MOST_TRIES:
                return
            receipt = receipt.model_copy(update={"fate": Fate.PARKED})
        self.tries.pop(number, None)
        self.results[number] = receipt
        self._fates[receipt.fate] += 1
        self._fresh.append((number, receipt))

    def release(self, but: Iterable[int] = ()) -> None:
        """Note that nothing is on the way but these: of the others it is known that nothing was recorded."""
        before, self.sending = self.sending, tuple(but)
        self._changed = self._changed or before != self.sending

    def keep(self) -> None:
        """Keep what has changed."""
        if not self._changed:
            return
        while len(self._fresh) >= SLICE:
            self._outbox.put(
                self._slice_path(self._slices), _ROWS.dump_json(self._fresh[:SLICE], exclude_defaults=True)
            )
            self._slices += 1
            del self._fresh[:SLICE]
        kept = _Kept(
            slices=self._slices,
            results=tuple(self._fresh),
            sending=tuple(self.sending),
            tries=dict(self.tries),
            fates=self.fates,
            grade_changes=self.grade_changes,
            confirmed=self.confirmed,
            unconfirmed=self.unconfirmed,
        )
        self._outbox.put(_path(self._folder), kept.model_dump_json(exclude_defaults=True).encode())
        self._changed = False

    def delete(self) -> None:
        """Forget all of it."""
        self._outbox.delete(_path(self._folder))
        for number in range(self._slices):
            self._outbox.delete(self._slice_path(number))

    def _slice_path(self, number: int) -> str:
        return f"{self._folder}/results-{number:05d}"


def read(outbox: Blobs, folder: str) -> _Kept:
    """Return what was kept last."""
    try:
        return _Kept.model_validate_json(outbox.get(_path(folder)))
    except FileNotFoundError:
        return _Kept()


def with_progress(outbox: Blobs, batch: Batch) -> Batch:
    """Return a batch with what has become of its records by now."""
    if batch.stand is not Stand.WAITING:
        return batch
    kept = read(outbox, f"{batch.connection}/waiting/{batch.stem}")
    counts = kept.model_dump(include={"fates", "grade_changes", "confirmed", "unconfirmed"})
    return batch.model_copy(update=counts)


def _path(folder: str) -> str:
    return f"{folder}/progress"
