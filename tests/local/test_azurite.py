"""The storage emulator, as Azure's own SDKs see it."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from infra.local import azurite
from infra.local.azurite import Azurite, AzuriteError, ensure_installed


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with Azurite(tmp_path_factory.mktemp("azurite")) as storage:
        yield storage


def blob_names(connection_string: str) -> list[str]:
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        return [blob.name for blob in blobs.get_container_client("kept").list_blobs()]


def test_blobs_are_kept(storage: Azurite) -> None:
    with BlobServiceClient.from_connection_string(storage.connection_string) as blobs:
        container = blobs.create_container("sealed")
        container.upload_blob("package", b"content")

        assert container.download_blob("package").readall() == b"content"


def test_messages_are_delivered(storage: Azurite) -> None:
    with QueueServiceClient.from_connection_string(storage.connection_string) as queues:
        queue = queues.create_queue("work")
        queue.send_message("message")

        assert [message.content for message in queue.receive_messages()] == ["message"]


def test_rows_are_kept(storage: Azurite) -> None:
    with TableServiceClient.from_connection_string(storage.connection_string) as tables:
        table = tables.create_table("runs")
        table.create_entity({"PartitionKey": "p", "RowKey": "k", "tally": 7})

        assert table.get_entity("p", "k")["tally"] == 7


def test_two_run_at_once_and_know_nothing_of_each_other(storage: Azurite, tmp_path: Path) -> None:
    """Several syncs on one machine are fine."""
    with (
        Azurite(tmp_path) as other,
        BlobServiceClient.from_connection_string(storage.connection_string) as blobs,
        BlobServiceClient.from_connection_string(other.connection_string) as other_blobs,
    ):
        blobs.create_container("only-here")

        assert "only-here" not in [each.name for each in other_blobs.list_containers()]


def test_what_was_written_last_is_there_after_a_restart(tmp_path: Path) -> None:
    """Azurite writes its metadata every five seconds only, and when it is asked to end."""
    with (
        Azurite(tmp_path) as first,
        BlobServiceClient.from_connection_string(first.connection_string) as blobs,
    ):
        blobs.create_container("kept").upload_blob("last", b"")

    with Azurite(tmp_path) as second:
        assert blob_names(second.connection_string) == ["last"]


def test_it_ends_and_keeps_everything_when_its_parent_is_killed(tmp_path: Path) -> None:
    """Nothing is left behind, and nothing lost, by a terminal window that is closed."""
    script = (
        "import os, pathlib, signal, sys\n"
        "from azure.storage.blob import BlobServiceClient\n"
        "from infra.local.azurite import Azurite\n"
        "with Azurite(pathlib.Path(sys.argv[1])) as storage:\n"
        "    blobs = BlobServiceClient.from_connection_string(storage.connection_string)\n"
        "    blobs.create_container('kept').upload_blob('last', b'')\n"
        "    print(storage.process_id, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    _wait_for_end(int(parent.stdout))
    with Azurite(tmp_path) as second:
        assert blob_names(second.connection_string) == ["last"]


def _wait_for_end(process_id: int) -> None:
    """Wait for a process that is not a child of ours."""
    try:
        handle = os.pidfd_open(process_id)
    except ProcessLookupError:
        return
    with os.fdopen(handle) as ended:
        assert select.select([ended], [], [], 20)[0]


def test_a_folder_that_cannot_be_used_is_told_with_azurites_own_words(tmp_path: Path) -> None:
    tmp_path.joinpath("__azurite_db_blob__.json").write_text("not JSON")

    with pytest.raises(AzuriteError, match="ended before it listened"), Azurite(tmp_path):
        pass


def test_a_missing_node_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(AzuriteError, match=r"node is not on the PATH.*Node.js 20"):
        ensure_installed()


def test_it_is_installed_once_however_many_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`npm ci` removes what is there: a second one would pull it away under the first one's emulator."""
    lock = Path(azurite.__file__).with_name("package-lock.json").read_bytes()
    tmp_path.joinpath("package-lock.json").write_bytes(lock)
    npm = tmp_path / "npm"
    npm.write_text(
        "#!/bin/sh\necho called >> calls\nmkdir -p node_modules\ncp package-lock.json node_modules/.package-lock.json\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    script = (
        "import pathlib, sys; from infra.local import azurite\n"
        "azurite.HERE = pathlib.Path(sys.argv[1]); azurite.ensure_installed()\n"
    )
    askers = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path], cwd=Path(__file__).parents[2]) for _ in range(3)
    ]

    assert [asker.wait() for asker in askers] == [0, 0, 0]
    assert tmp_path.joinpath("calls").read_text() == "called\n"


def test_a_failing_npm_is_told_with_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Path(azurite.__file__).with_name("package-lock.json").read_bytes()
    tmp_path.joinpath("package-lock.json").write_bytes(lock)
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'the registry did not answer' >&2\nexit 7\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(azurite, "HERE", tmp_path)

    with pytest.raises(AzuriteError, match=r"status 7:\nthe registry did not answer"):
        ensure_installed()


def test_the_lock_file_says_what_and_not_where_from() -> None:
    """Each machine has a registry of its own; versions and hashes are the same on all of them."""
    text = Path(azurite.__file__).with_name("package-lock.json").read_text()
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}

    assert packages["node_modules/azurite"]["version"] == "3.35.0"
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
    assert "tgz" not in text
