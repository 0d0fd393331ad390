"""Records that wait to be sent: sealed in the container `outbox`, a blob a batch.

| below the connection | holds |
| --- | --- |
| `waiting/<stem>/records` | the accepted records of a batch |
| `waiting/<stem>/progress`, `.../results-<n>` | how far it has come (see `progress`) |
| `parked/<stem>` | its parked records, once the batch has ended |
| `pace.json` | when what may be sent (see `pace`) |
"""

import json
import zlib
from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel

from shared.domain.batches import Kind
from shared.domain.errors import Code, PackageError
from shared.domain.write_back import Completion, Course, WriteBack
from shared.pipeline.parts import Parts

type Record = Completion | Course

_MODELS: dict[Kind, Callable[[object], Record]] = {
    Kind.COMPLETIONS: Completion.model_validate,
    Kind.COURSES: Course.model_validate,
}
_LEVEL = 1
"""Of compression: quick, and records of one kind are alike."""


class Outbox:
    """The outbox of one connection."""

    def __init__(self, parts: Parts, connection: str, write_back: WriteBack) -> None:
        self._parts = parts
        self._connection = connection
        self._secret = write_back.sealed_secret

    def records_path(self, stem: str) -> str:
        """Return where the records of a batch are."""
        return f"{self._connection}/waiting/{stem}/records"

    def parked_path(self, stem: str) -> str:
        """Return where the parked records of a batch are."""
        return f"{self._connection}/parked/{stem}"

    def put(self, path: str, records: Iterable[tuple[int, BaseModel]]) -> None:
        """Seal records with their places in what was sent in, instead of what was there."""
        lines = (f"[{place},{record.model_dump_json(exclude_defaults=True)}]".encode() for place, record in records)
        keys = self._parts.secrets.list_versions(self._secret)
        self._parts.outbox.put(path, self._parts.sealing.seal(zlib.compress(b"\n".join(lines), _LEVEL), path, keys))

    def get(self, path: str, kind: Kind) -> list[tuple[int, Record]]:
        """Return records with their places; raise `FileNotFoundError` when there are none.

        Raises:
            SettingsError: the key they were sealed with is gone.
            PackageError: somebody has altered them.
        """
        sealed = self._parts.outbox.get(path)
        content = self._parts.sealing.open(sealed, path, self._parts.secrets.list_versions(self._secret))
        try:
            lines = [json.loads(line) for line in zlib.decompress(content).split(b"\n") if line]
            return [(place, _MODELS[kind](record)) for place, record in lines]
        except (ValueError, zlib.error):
            # What pydantic or the decoder says would quote the record.
            raise PackageError(f"What is sealed in {path} are no records.", Code.PACKAGE_DAMAGED) from None

    def stems(self) -> Sequence[str]:
        """Return the batches that wait, in the order in which they came."""
        prefix = f"{self._connection}/waiting/"
        paths = self._parts.outbox.list_paths(prefix)
        return [path.split("/")[2] for path in paths if path.endswith("/records")]

    def parked_stems(self) -> Sequence[str]:
        """Return the batches that have left parked records, in the order in which they came."""
        prefix = f"{self._connection}/parked/"
        return [path.removeprefix(prefix) for path in self._parts.outbox.list_paths(prefix)]


def batch_id_of(stem: str) -> str:
    """Return the id of a batch from the beginning of its paths."""
    return stem.rpartition("-")[2]


def kind_of(stem: str) -> Kind:
    """Return what a batch holds from the beginning of its paths."""
    return Kind(stem.split("-")[1])
