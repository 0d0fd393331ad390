"""The process that decrypts with Sequoia: a task and sealed bytes come in, clear text and a verdict go out.

Started by `shared.adapters.sequoia`; nothing else calls it. Key and passphrase come through the pipe, too, so
that they are in no argument, environment or file.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from typing import Self

_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Task:
    """What to decrypt with."""

    key: str = field(repr=False)
    """A certificate with the still locked key, in hex."""
    passphrase: str | None = field(repr=False)
    signers: list[str] | None
    """Armored keys of those who may sign; `None` when no signature is asked for."""

    def framed(self) -> bytes:
        """Return what stands before the sealed bytes."""
        content = json.dumps(asdict(self)).encode()
        return len(content).to_bytes(_LENGTH_BYTES) + content

    @classmethod
    def receive(cls, descriptor: int) -> Self:
        """Read no more than the task."""
        length = int.from_bytes(_read(descriptor, _LENGTH_BYTES))
        return cls(**json.loads(_read(descriptor, length)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went."""

    problem: str | None = None
    """What Sequoia complains about, in its words."""
    signed_by: list[str] = field(default_factory=list)
    """Fingerprints or key ids of all signatures, where they were asked for."""
    is_signature_good: bool = False


def decrypt(task: Task) -> Outcome:
    """Decrypt what comes in, to where it goes out."""
    import pysequoia  # noqa: PLC0415 - the parent imports this module for its values alone

    signed_by: list[str] = []

    def find_signers(asked: list[str]) -> list[pysequoia.Cert]:
        signed_by.extend(asked)
        return [pysequoia.Cert.from_bytes(key.encode()) for key in task.signers or ()]

    try:
        decryptor = pysequoia.Tsk.from_bytes(bytes.fromhex(task.key)).decryptor(task.passphrase)
        store = None if task.signers is None else find_signers
        decrypted = pysequoia.decrypt_file("/dev/stdin", "/dev/stdout", decryptor, store)
    except (RuntimeError, OSError) as error:
        return Outcome(str(error).partition("\n")[0], signed_by)
    return Outcome(None, signed_by, is_signature_good=bool(decrypted.valid_sigs))


def main() -> None:
    """Take the task, do it, tell how it went."""
    outcome = decrypt(Task.receive(sys.stdin.fileno()))
    sys.stdout.close()
    sys.stderr.write(f"{json.dumps(asdict(outcome))}\n")


def _read(descriptor: int, length: int) -> bytes:
    content = b""
    while len(content) < length and (more := os.read(descriptor, length - len(content))):
        content += more
    return content


if __name__ == "__main__":
    main()
