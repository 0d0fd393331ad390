"""The doctor at the provider's server: how far it got, and what lies in the folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.sftp import SftpServer
from shared.adapters.sftp import SftpFolders
from shared.domain.errors import Code, SettingsError, TransientError
from shared.pipeline.doctor import Result
from shared.pipeline.doctor.file_names import suggest
from tests.clinic import Clinic, ssh_pair

STEPS = ("SFTP server", "host key", "SFTP login", "folder rights", "file names")


def results(clinic: Clinic) -> list[str]:
    found = clinic.checks()
    return [found[name].result.value for name in STEPS]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TransientError("It cannot be reached.", Code.SERVER_UNREACHABLE), "failed skipped skipped skipped skipped"),
        (SettingsError("Another host key.", Code.HOST_KEY_CHANGED), "passed failed skipped skipped skipped"),
        (SettingsError("It refused the login.", Code.INVALID_CREDENTIALS), "passed passed failed skipped skipped"),
        (SettingsError("No SSH key in the secret.", Code.SETTINGS_INVALID), "skipped skipped failed skipped skipped"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.code.name.lower(),
)
def test_the_first_step_that_fails_is_named_and_mended(
    clinic: Clinic, error: SettingsError | TransientError, expected: str
) -> None:
    clinic.lock_out(error)

    found = clinic.checks()

    assert [found[name].result.value for name in STEPS] == expected.split()
    failed = next(found[name] for name in STEPS if found[name].result is Result.FAILED)
    assert (failed.found, failed.code) == (str(error), error.code)
    assert failed.mend.endswith(".")


def test_a_folder_that_cannot_be_listed_leaves_its_names_unseen(clinic: Clinic) -> None:
    def refuse() -> None:
        raise SettingsError("The user may not read in the folder.", Code.ACCESS_DENIED)

    clinic.desk.folder.list_files = refuse  # type: ignore[method-assign,assignment]  # a server that refuses

    assert results(clinic) == ["passed", "passed", "passed", "failed", "skipped"]


def test_a_real_server_is_judged_by_what_it_does(clinic: Clinic, tmp_path: Path) -> None:
    """Login, host key, listing and reading, each refused in turn by an SFTP server, and then all of them good."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / clinic.package).write_bytes(b"sealed" * 100)
    with SftpServer(folder, tmp_path / "server", prefer="asyncssh") as server:
        clinic.desk.parts = replace(clinic.desk.parts, folders=SftpFolders(timeout_seconds=5))
        clinic.vault.put("sftp-login", server.client_private_key)
        clinic.set(
            "sftp",
            host=server.host,
            port=server.port,
            user=server.user,
            folder=server.folder_path,
            host_key=server.host_key,
        )
        good = results(clinic)
        clinic.set("sftp", folder=f"{server.folder_path.rstrip('/')}/no-such")
        no_folder = clinic.checks()["folder rights"]
        clinic.set("sftp", folder=server.folder_path)
        server.faults.deny_listing = True
        denied = clinic.checks()["folder rights"]
        server.faults.deny_listing = False
        clinic.vault.put("sftp-login", ssh_pair().private)
        stranger = results(clinic)
        server.change_host_key()
        changed = results(clinic)

    gone = results(clinic)
    assert good == ["passed"] * 5
    assert no_folder.code is Code.FOLDER_NOT_FOUND
    assert denied.code is Code.ACCESS_DENIED
    assert stranger == ["passed", "passed", "failed", "skipped", "skipped"]
    assert changed == ["passed", "failed", "skipped", "skipped", "skipped"]
    assert gone == ["failed", "skipped", "skipped", "skipped", "skipped"]


def test_names_that_do_not_fit_are_told_with_what_was_meant(clinic: Clinic) -> None:
    good = clinic.package
    clinic.drop(good, good.removesuffix(".pgp") + ".gpg", "readme.txt")

    check = clinic.checks()["file names"]

    assert check.result is Result.WARNED
    assert f"did you mean {good}?" in check.found
    assert "readme.txt" in check.found
    assert "file_pattern" in check.mend


def test_marker_files_are_no_strange_names(clinic: Clinic) -> None:
    """Nor is one whose package has gone; without the setting it is, and so is what looks like one."""
    good = clinic.package
    clinic.drop(good, f"{good}.done", "acme_F_20200101000000.zip.pgp.done")

    unset = clinic.checks()["file names"]
    clinic.set("sftp", done_suffix=".done")
    found = clinic.checks()["file names"]
    clinic.drop(good, f"{good}.done", "readme.txt.done")
    strange = clinic.checks()["file names"]

    assert (unset.result, found.result, strange.result) == (Result.WARNED, Result.PASSED, Result.WARNED)
    assert f"{good}.done" in unset.found
    assert "readme.txt.done" in strange.found


def test_a_package_that_waits_for_its_marker_is_told(clinic: Clinic) -> None:
    clinic.set("sftp", done_suffix=".done")

    check = clinic.checks()["file names"]

    assert check.result is Result.WARNED
    assert f"{clinic.package} is in the folder without its marker file (.done)" in check.found


def test_a_folder_without_any_package_fails(clinic: Clinic) -> None:
    clinic.drop("acme-F-20261101000000.zip.gpg")

    check = clinic.checks()["file names"]

    assert check.result is Result.FAILED
    assert "did you mean acme_F_20261101000000.zip.pgp?" in check.found


def test_an_empty_folder_is_worth_a_look(clinic: Clinic) -> None:
    clinic.drop()

    found = clinic.checks()

    assert found["folder rights"].result is Result.PASSED
    assert found["file names"].result is Result.WARNED
    assert "PARTNER_EXTRACT" in found["file names"].mend


def test_packages_of_several_customers_are_told(clinic: Clinic) -> None:
    """They would be taken for one another's."""
    clinic.drop("acme_F_20261101000000.zip.pgp", "other_D_20261102000000.zip.pgp")

    check = clinic.checks()["file names"]

    assert check.result is Result.WARNED
    assert "acme, other" in check.found


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("acme_F_20261101000000.zip.pgp.part", "acme_F_20261101000000.zip.pgp"),
        ("acme_F_20261101000000.zip (1).pgp", "acme_F_20261101000000.zip.pgp"),
        ("Copy of acme_F_20261101000000.zip.pgp", "acme_F_20261101000000.zip.pgp"),
        ("acme_F_20261101000000.zip.gpg", "acme_F_20261101000000.zip.pgp"),
        ("acme_F_20261101000000.zip", "acme_F_20261101000000.zip.pgp"),
        ("acme_F_20261101000000", "acme_F_20261101000000.zip.pgp"),
        ("acme F 20261101000000.zip.pgp", "acme_F_20261101000000.zip.pgp"),
        ("acme-F-2026-11-01T00-00-00.zip.pgp", "acme_F_20261101000000.zip.pgp"),
        ("acme_full_20261101000000.zip.pgp", "acme_F_20261101000000.zip.pgp"),
        ("acme_F_20261101.zip.pgp", "acme_F_20261101000000.zip.pgp"),
        ("invoice.pdf", None),
        ("acme_F_20261101000000.zip.pgx", "acme_D_20261101000000.zip.pgp"),
    ],
)
def test_near_names_are_recognised(clinic: Clinic, name: str, meant: str | None) -> None:
    """The last one resembles what else is there, and nothing can be said of its ending."""
    pattern = clinic.desk.parts.get_profile("successfactors").pattern

    suggested = suggest(name, lambda tried: bool(pattern.fullmatch(tried)), ["acme_D_20261101000000.zip.pgp"])

    assert suggested == meant
