"""What goes wrong between the provider and us, in a whole tenant: each trouble has its code and costs nothing else."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.generate import KeyFiles, make_keys, write_package
from infra.local.generate.sealing import sealed
from infra.local.given import Given
from infra.local.sync import Ending, run_sync
from infra.local.tenant import Tenant
from shared.cli.follow import EXIT_STATUS
from shared.domain.errors import Code
from shared.domain.runs import Outcome
from tests.company import FULL, PUBLISHED, files, full, item, make_directory

SYNC_SECONDS = 60

pytestmark = pytest.mark.slow


# Packages that cannot be opened


def stamped(day: int) -> str:
    return f"acme_D_202611{day:02d}000000.zip.pgp"


def flip(path: Path) -> None:
    """Turn one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Leave out the last third."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def key_id(keys: KeyFiles) -> str:
    """Id of the subkey that packages are sealed for, as GnuPG tells it."""
    command = ["gpg", "--batch", "--with-colons", "--show-keys", str(keys.public)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return next(row.split(":")[4] for row in listed.splitlines() if row.startswith("sub:"))


def shown(tenant: Tenant) -> Counter[str]:
    export = tenant.state / "viva.ndjson"
    tenant.export_viva(export)
    return Counter(json.loads(line)["_type"] for line in export.read_text().splitlines())


def endings(ending: Ending) -> dict[str, tuple[Outcome | None, Code | None]]:
    for run in ending.runs:
        assert run.tally.adds_up()
    return {run.package: (run.outcome, run.code) for run in ending.runs}


def test_a_package_that_does_not_open_costs_nothing_but_itself(tmp_path: Path) -> None:
    """Each is refused with its own code; what was published stands, and what is mended is tried again."""
    old, new = (make_keys(tmp_path / name, bits=2048, quick=True) for name in ("old", "new"))
    sftp = tmp_path / "sftp"
    sftp.mkdir()
    write_package(sftp / FULL, full(), old.public)

    def delta(day: int, keys: KeyFiles) -> Path:
        """Add a content a day."""
        path = sftp / stamped(day)
        write_package(path, files({"PA_CPNT": [item(100 + day)]}), keys.public)
        return path

    with Tenant(tmp_path / "state", datetime(2026, 11, 9, 8, tzinfo=UTC)) as tenant:
        make_directory(tenant.graph, tmp_path)
        tenant.configure(Given(sftp=sftp, private_keys=(old.private.read_text(),), passphrases=("wrong",)))
        locked = run_sync(tenant, timeout_seconds=SYNC_SECONDS)

        assert (EXIT_STATUS[locked.outcome], locked.code) == (4, Code.PASSPHRASE_INVALID)
        assert (locked.writes, shown(tenant)) == (0, Counter())

        flip(delta(2, old))
        cut(delta(3, old))
        sftp.joinpath(stamped(4)).write_bytes(b"This is not OpenPGP.\n" * 100)
        with sealed(sftp / stamped(5), old.public) as sink:
            sink.write(b"This is no zip.\n" * 100)
        delta(6, new)
        tenant.configure(Given(sftp=sftp, passphrases=(old.passphrase.read_text(),)))
        refused = run_sync(tenant, timeout_seconds=SYNC_SECONDS)

        assert endings(refused) == {
            FULL: (Outcome.DONE, None),
            stamped(2): (Outcome.REJECTED, Code.PACKAGE_DAMAGED),
            stamped(3): (Outcome.REJECTED, Code.PACKAGE_DAMAGED),
            stamped(4): (Outcome.REJECTED, Code.NOT_OPENPGP),
            stamped(5): (Outcome.REJECTED, Code.NOT_A_ZIP),
            stamped(6): (Outcome.REJECTED, Code.NO_MATCHING_KEY),
        }
        assert EXIT_STATUS[refused.outcome] == 4
        assert [run.package for run in refused.runs if key_id(new) in run.message] == [stamped(6)]
        assert shown(tenant) == PUBLISHED

        delta(7, old)
        added = Given(private_keys=(new.private.read_text(),), passphrases=(new.passphrase.read_text(),))
        tenant.configure(added)
        opened = run_sync(tenant, timeout_seconds=SYNC_SECONDS)

        assert endings(opened)[stamped(6)] == endings(opened)[stamped(7)] == (Outcome.DONE, None)
        assert {run.key_id for run in opened.runs if run.outcome is Outcome.DONE} == {key_id(old), key_id(new)}
        assert shown(tenant)["learningContent"] == PUBLISHED["learningContent"] + 2
        assert all(payload.accepted for payload in tenant.graph.payloads())


# A server that does not let us in


def test_a_folder_out_of_reach_fails_the_sync_with_its_reason(tmp_path: Path) -> None:
    """It is not the package's fault, and the next sync goes on as if nothing had been."""
    keys = make_keys(tmp_path / "keys", bits=2048, quick=True)
    sftp = tmp_path / "sftp"
    sftp.mkdir()
    write_package(sftp / FULL, full(), keys.public)
    with Tenant(tmp_path / "state", datetime(2026, 11, 1, 8, tzinfo=UTC)) as tenant:

        def sync_with(trouble: Callable[[], object]) -> tuple[int, Code | None]:
            trouble()
            ending = run_sync(tenant, timeout_seconds=SYNC_SECONDS)
            assert (ending.runs, ending.writes) == ((), 0)
            assert ending.message
            return EXIT_STATUS[ending.outcome], ending.code

        make_directory(tenant.graph, tmp_path)
        nowhere = Given(
            sftp=tmp_path / "nowhere",
            private_keys=(keys.private.read_text(),),
            passphrases=(keys.passphrase.read_text(),),
        )
        assert sync_with(lambda: tenant.configure(nowhere)) == (5, Code.FOLDER_NOT_FOUND)
        assert sync_with(tenant.sftp.change_host_key) == (5, Code.HOST_KEY_CHANGED)
        # Configuring pins the key that the server has now.
        tenant.configure(Given(sftp=sftp))
        assert sync_with(lambda: tenant.set("sftp.user", "nobody")) == (5, Code.INVALID_CREDENTIALS)
        tenant.configure(Given())
        ending = run_sync(tenant, timeout_seconds=SYNC_SECONDS)

        assert (ending.outcome, shown(tenant)) == (Outcome.DONE, PUBLISHED)
