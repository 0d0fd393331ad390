"""The peers that read a table by SFTP: how each is installed and told what to read.

They read plain CSV; none decrypts, unzips or validates. What they print is counted and thrown away.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
STREAM = "assignments"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the table is, and who may read it."""

    host: str
    port: int
    user: str
    key_file: Path
    """An RSA key in PEM; tap-sftp reads no other."""
    folder: str
    file: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """How a peer is started."""

    command: tuple[str | Path, ...]
    counting: bytes = b""
    """What stands in each line that is a row; without it, the last line is the number of rows."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reader:
    """A peer."""

    name: str
    package: str
    how: str
    requirements: Path
    call: Callable[[Path, Path, Server], Call]
    """From the folder of its programs, a folder to work in, and what to read."""
    rows: int = 500_000
    """Of the table that it reads: enough that its start does not count."""


def _dlt(programs: Path, work: Path, server: Server) -> Call:
    login = {
        "SFTP_USERNAME": server.user,
        "SFTP_PORT": str(server.port),
        "SFTP_KEY_FILENAME": str(server.key_file),
        "SFTP_ALLOW_AGENT": "false",
        "SFTP_LOOK_FOR_KEYS": "false",
    }
    return Call(
        (programs / "python", FOLDER / "dlt_reader.py", f"sftp://{server.host}{server.folder}", server.file, str(work)),
        environment={
            **{f"SOURCES__FILESYSTEM__CREDENTIALS__{name}": value for name, value in login.items()},
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DLT_DATA_DIR": str(work / "dlt"),
        },
    )


def _airbyte(programs: Path, work: Path, server: Server) -> Call:
    config = {
        "host": server.host,
        "port": server.port,
        "username": server.user,
        "credentials": {"auth_type": "private_key", "private_key": server.key_file.read_text("ascii")},
        "folder_path": server.folder,
        "delivery_method": {"delivery_type": "use_records_transfer"},
        "streams": [
            {
                "name": STREAM,
                "globs": [f"**/{server.file}"],
                "format": {"filetype": "csv"},
                "validation_policy": "Emit Record",
                "schemaless": False,
            }
        ],
    }
    stream = {"name": STREAM, "json_schema": _schema(server), "supported_sync_modes": ["full_refresh"]}
    synced = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    files = _write(work, config=config, catalog={"streams": [synced]})
    program = programs / "source-sftp-bulk"
    return Call(
        (program, "read", "--config", files["config"], "--catalog", files["catalog"]), counting=b'"type":"RECORD"'
    )


def _singer(programs: Path, work: Path, server: Server) -> Call:
    table = {
        "table_name": STREAM,
        "search_prefix": server.folder,
        "search_pattern": server.file,
        "key_properties": [],
        "delimiter": ",",
    }
    config = {
        "host": server.host,
        "port": server.port,
        "username": server.user,
        "private_key_file": str(server.key_file),
        "start_date": "2000-01-01T00:00:00Z",
        "tables": json.dumps([table]),
    }
    selected = {"breadcrumb": [], "metadata": {"selected": True, "table-key-properties": []}}
    columns = [{"breadcrumb": ["properties", name], "metadata": {"selected": True}} for name in server.columns]
    stream = {
        "stream": STREAM,
        "tap_stream_id": STREAM,
        "schema": _schema(server),
        "metadata": [selected, *columns],
    }
    files = _write(work, config=config, catalog={"streams": [stream]})
    program = programs / "tap-sftp"
    return Call((program, "--config", files["config"], "--catalog", files["catalog"]), counting=b'"type": "RECORD"')


def _schema(server: Server) -> dict[str, Any]:
    """Say that each column is text, as the table's own file does."""
    return {"type": "object", "properties": {name: {"type": ["null", "string"]} for name in server.columns}}


def _write(work: Path, **documents: object) -> dict[str, Path]:
    files = {name: work / f"{name}.json" for name in documents}
    for name, file in files.items():
        file.touch(mode=0o600)
        file.write_text(json.dumps(documents[name]), "utf-8")
    return files


READERS = (
    Reader(
        "dlt with DuckDB",
        "dlt",
        "read_csv_duckdb by way of Arrow, as text; pipeline.run to Parquet",
        FOLDER / "dlt.txt",
        _dlt,
    ),
    Reader(
        "Airbyte source-sftp-bulk",
        "airbyte-source-sftp-bulk",
        "read, its records thrown away",
        FOLDER / "airbyte.txt",
        _airbyte,
    ),
    Reader(
        "Singer tap-sftp",
        "tap-sftp",
        "sync, its records thrown away",
        FOLDER / "singer.txt",
        _singer,
        rows=200_000,
    ),
)
