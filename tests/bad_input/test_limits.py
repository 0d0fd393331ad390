"""How large a package may be, in the numbers that Microsoft documents: 2 GiB as it comes, 25 GiB unpacked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from infra.local.sftp import SftpServer
from shared.adapters.sftp import SftpFolders
from shared.domain.errors import Code, TransientError
from shared.ports import OpenedPackage, Secret
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import full
from tests.desk import DeskOpener
from tests.fakes import MemoryIntake
from tests.pipeline import bombs
from tests.pipeline.large_archives import GIB, Large, large_zip

FILE = "acme_F_20261102000000.zip.pgp"
PACKED_LIMIT_BYTES = 2_147_483_648
UNPACKED_LIMIT_BYTES = 26_843_545_600


class FirstBlock(MemoryIntake):
    """Takes no block: that one came is all there is to know."""

    def put_block(self, path: str, index: int, content: bytes) -> None:
        raise TransientError(f"block {index} of {path.rpartition('/')[2]} came with {len(content)} bytes.")


class Streaming(DeskOpener):
    """Finds another archive under every seal, made while it is read."""

    def __init__(self, *members: Large) -> None:
        self._members = members

    @contextmanager
    def open(
        self, sealed: BinaryIO, keys: Sequence[Secret], passphrases: Sequence[Secret], *, require_signature: bool
    ) -> Iterator[OpenedPackage]:
        with super().open(sealed, keys, passphrases, require_signature=require_signature) as opened:
            opened.chunks = lambda: large_zip(*self._members)  # type: ignore[method-assign]
            yield opened


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    (tmp_path / "provider").mkdir()
    with SftpServer(tmp_path / "provider", tmp_path / "sftp") as server:
        yield server


def serve(tenant: Tenant, server: SftpServer, size_bytes: int) -> None:
    """Let the tenant see a file of that size, which takes no place, at a real server."""
    with (tenant.folder / "provider" / FILE).open("wb") as file:
        file.truncate(size_bytes)
    where = {"host": server.host, "port": server.port, "user": server.user, "host_key": server.host_key}
    tenant.desk.set(sftp={**where, "folder": server.folder_path})
    tenant.desk.secrets.values["sftp-login"] = server.client_private_key
    tenant.desk.parts = replace(tenant.desk.parts, folders=SftpFolders(timeout_seconds=20), intake=FirstBlock())


@pytest.mark.slow
def test_a_package_of_2_gib_is_fetched(tenant: Tenant, server: SftpServer) -> None:
    """It stops at the first block, which came."""
    serve(tenant, server, PACKED_LIMIT_BYTES)

    sync = tenant.desk.sync()

    assert_told(sync, "failed", Code.UNEXPECTED, f"block 0 of {FILE} came")


def test_a_byte_more_is_refused_without_fetching_any(tenant: Tenant, server: SftpServer) -> None:
    """The server's word on the size is enough: any block would have failed the sync."""
    serve(tenant, server, PACKED_LIMIT_BYTES + 1)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "rejected", Code.PACKED_SIZE_EXCEEDED, "2147483649 bytes", "2147483648", "raise the limit")


@pytest.mark.parametrize(
    ("bomb", "code"),
    [
        (bombs.single, Code.PACKAGE_DAMAGED),
        (bombs.overlapping, Code.PACKAGE_DAMAGED),
        (bombs.nested, Code.FILE_MISSING),
        (bombs.many, Code.FILE_MISSING),
    ],
    ids=["one dense file", "overlapping files", "archives in archives", "many dense files"],
)
def test_a_bomb_of_a_few_kilobytes_is_refused(tenant: Tenant, bomb: Callable[[], bytes], code: Code) -> None:
    """None of them holds a package, and all of them are read to the end or the first lie, in no time."""
    tenant.full()
    tenant.desk.folder.files[FILE] = bomb()

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "rejected", code)


def test_a_larger_bomb_is_refused_whatever_else_is_in_the_package(tenant: Tenant) -> None:
    """Ten megabytes that would be ten gigabytes, behind tables that are good."""
    tenant.full()
    tenant.desk.parts = replace(
        tenant.desk.parts, opener=Streaming(*_tables(), Large(10 * GIB, deflated=True, block=bytes(1024 * 1024)))
    )

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "rejected", Code.ARCHIVE_UNSAFE, "more than 200 times its size", "Find out where")


@pytest.mark.slow
def test_25_gib_unpacked_are_read_and_a_byte_more_is_refused(tenant: Tenant) -> None:
    """Counted over all files, also those that nobody reads; the tables before them have been read by then."""
    tables = _tables()
    missing = UNPACKED_LIMIT_BYTES - sum(table.size_bytes for table in tables)
    others = [*[Large(GIB)] * (missing // GIB), Large(missing % GIB)]
    tenant.full()
    tenant.desk.parts = replace(tenant.desk.parts, opener=Streaming(*tables, *others, Large(1)))

    with tenant.nothing_changes():
        refused = tenant.desk.sync()
    tenant.full(3)
    tenant.desk.parts = replace(tenant.desk.parts, opener=Streaming(*tables, *others))
    taken = tenant.desk.sync()

    assert_told(refused, "rejected", Code.UNPACKED_SIZE_EXCEEDED, "26843545600 bytes", "unpacked_limit_bytes")
    assert_told(taken, "done", None)


def _tables() -> list[Large]:
    return [Large(len(content), block=content, name=name.encode()) for name, content in full().items()]
