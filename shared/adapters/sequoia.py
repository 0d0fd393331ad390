"""Opens packages with Sequoia, where there is no GnuPG: slower, and blind to most signatures.

`pysequoia` decrypts from file to file and lets no other Python thread run meanwhile, so that a process of its
own does it, between two pipes. That process takes about 220 MB whatever the package's size: Sequoia holds the
last 25 MiB back until its integrity check has passed. What comes before is released unchecked, as with GnuPG:
`chunks` ends without an error only after the process has said that the check passed.

Signatures are looked at only when one is required, and a required one is found good only where the package is
not compressed inside its seal: `pysequoia` checks no other. Use GnuPG for signed packages.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

import pysequoia

from shared.adapters.decrypting import DecryptedPackage, decrypting, first_lines
from shared.adapters.sequoia_adoption import SecretKey, adopt
from shared.adapters.sequoia_child import Outcome, Task
from shared.adapters.sequoia_keys import secret_keys
from shared.domain.armor import key_blocks
from shared.domain.envelope import (
    ANYONE,
    Envelope,
    damaged,
    no_matching_key,
    passphrase_refused,
    read_envelope,
    read_head,
    signature_missing,
    unreadable_key,
    weak_key,
)
from shared.domain.errors import Code, PackageError
from shared.ports import Seal, Secret

_REFUSED_BY_POLICY = "Policy rejected"
_NOT_FOR_THIS_KEY = "No key to decrypt message"
_SIGNATURE_PROBLEMS = (
    None,  # there is no signature
    "Unexpected message structure",
    "Signature verification failed: no valid signatures found.",
)
_KEY_ID_LENGTH = 16


class SequoiaOpener:
    """Decrypts with the `pysequoia` library."""

    @contextmanager
    def open(
        self,
        sealed: BinaryIO,
        keys: Sequence[Secret],
        passphrases: Sequence[Secret],
        *,
        require_signature: bool,
    ) -> Iterator[DecryptedPackage]:
        """See the port. Which key fits, and its passphrase, are found out before the first chunk."""
        head = read_head(sealed)
        envelope = read_envelope(head)
        key_rings = [_KeyRing(key) for key in keys]
        secret_keys = [key for key_ring in key_rings for key in key_ring.secret_keys]
        key, passphrase = _find_key(head, envelope, secret_keys, passphrases)
        signers = [block.armored for key_ring in key_rings for block in key_ring.blocks]
        task = Task(adopt(key).hex(), passphrase, signers if require_signature else None)
        seal = Seal(key.key_id, weak_key(key.key_id, key.rsa_bits))
        with tempfile.TemporaryFile() as report:
            verdict = partial(_judge, report, require_signature=require_signature)
            with decrypting(_start(report), task.framed() + head, sealed, seal, verdict) as package:
                yield package


class _KeyRing:
    """What one version of the secret holds."""

    def __init__(self, secret: Secret) -> None:
        try:
            self.blocks = key_blocks(secret.value)
            self.secret_keys = [key for block in self.blocks if block.is_secret for key in secret_keys(block)]
        except (ValueError, RuntimeError):
            raise unreadable_key(secret.version) from None
        if not self.secret_keys:
            raise unreadable_key(secret.version)


def _find_key(
    head: bytes, envelope: Envelope, keys: Sequence[SecretKey], passphrases: Sequence[Secret]
) -> tuple[SecretKey, str | None]:
    """Return the first key that opens the head of the message, with the passphrase that unlocks it."""
    refused = False
    for key in keys:
        is_named = key.key_id in envelope.key_ids
        if not is_named and ANYONE not in envelope.key_ids:
            continue
        adopted = pysequoia.Tsk.from_bytes(adopt(key))
        for passphrase in (None, *first_lines(passphrases)):
            try:
                decryptor = adopted.decryptor(passphrase)
            except RuntimeError:
                continue
            if _opens(head, decryptor):
                return key, passphrase
            if is_named:
                raise damaged()
            break
        else:
            refused = refused or is_named
    raise passphrase_refused(envelope) if refused else no_matching_key(envelope)


def _opens(head: bytes, decryptor: pysequoia.PyDecryptor) -> bool:
    try:
        pysequoia.decrypt(head, decryptor)
    except (RuntimeError, OSError) as error:  # of course: the rest is missing
        return not str(error).startswith(_NOT_FOR_THIS_KEY)
    return True


def _start(report: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "shared.adapters.sequoia_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=report,
        env={
            "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path),
            "RUST_BACKTRACE": "0",
        },
    )


def _judge(report: IO[bytes], exit_status: int, *, require_signature: bool) -> tuple[str, ...]:
    """Return the warnings, or raise when the clear text is not to be trusted."""
    report.seek(0)
    lines = report.read().splitlines()
    if exit_status or not lines:
        raise damaged()
    outcome = Outcome(**json.loads(lines[-1]))
    if require_signature and outcome.problem in _SIGNATURE_PROBLEMS and not outcome.is_signature_good:
        signers = [signer[-_KEY_ID_LENGTH:].upper() for signer in outcome.signed_by]
        raise signature_missing(
            [f"the signature by {signer} is unknown, wrong or beyond what Sequoia checks" for signer in signers]
        )
    if outcome.problem and outcome.problem.startswith(_REFUSED_BY_POLICY):
        raise PackageError(
            "The package is sealed in a way that Sequoia holds unsafe, such as an old cipher. "
            "The sender should use AES; until then, open it with GnuPG (LMS_OPENPGP).",
            Code.PACKAGE_UNPROTECTED,
        )
    if outcome.problem:
        raise damaged()
    return ()
