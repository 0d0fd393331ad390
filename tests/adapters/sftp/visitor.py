"""A package at the provider's, and what it takes to fetch it."""

from datetime import UTC, datetime

from infra.local.sftp import SftpServer
from shared.adapters.sftp import SftpFolders
from shared.domain.connection import Connection
from shared.ports import RemoteFolders, Secret

FOLDERS: RemoteFolders = SftpFolders(timeout_seconds=10)
PACKAGE = "acme_F_20261101000000zip.pgp"
CONTENT = bytes(range(256)) * 4096 * 5 + b"the end"


def connection(server: SftpServer, **changes: object) -> Connection:
    where = {
        "host": server.host,
        "port": server.port,
        "user": server.user,
        "folder": server.folder_path,
        "host_key": server.host_key,
    }
    viva = {
        "provider_id": "p",
        "bizx_host": "hcm.example.com",
        "learning_host": "learn.example.com",
        "company_id": "acme",
    }
    return Connection.model_validate({"configuration_id": "SF1", "sftp": where | changes, "viva": viva})


def secret(value: str) -> Secret:
    return Secret("v1", value, datetime(2026, 1, 1, tzinfo=UTC))


def key(server: SftpServer) -> Secret:
    return secret(server.client_private_key)
