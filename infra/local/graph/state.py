"""Where the simulator keeps what Graph would: one SQLite file."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users(
    id TEXT COLLATE NOCASE PRIMARY KEY,
    employee_id TEXT COLLATE NOCASE,
    account_enabled INTEGER NOT NULL,
    user_type TEXT,
    licensed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    employee_id_at INTEGER NOT NULL,
    account_enabled_at INTEGER NOT NULL,
    user_type_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS users_by_employee ON users(employee_id);
CREATE INDEX IF NOT EXISTS users_by_change ON users(changed_at, id);
CREATE TABLE IF NOT EXISTS removed(
    id TEXT COLLATE NOCASE PRIMARY KEY,
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS removed_by_change ON removed(changed_at, id);
CREATE TABLE IF NOT EXISTS attributes(
    id TEXT COLLATE NOCASE PRIMARY KEY,
    user_principal_name TEXT,
    mail TEXT,
    extension_attributes TEXT,
    user_principal_name_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contents(
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    external_id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS activities(
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    external_id TEXT,
    content_id TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS activities_by_external_id ON activities(external_id);
CREATE TABLE IF NOT EXISTS providers(
    number INTEGER PRIMARY KEY,
    id TEXT COLLATE NOCASE NOT NULL UNIQUE,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS payloads(
    number INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    purpose TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS numbers(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Payload:
    """A learning object as it was sent, taken or not."""

    type: str
    """Short name, as in `learningContent`."""
    purpose: str
    """`create`, `upsert` or `update`."""
    status: int
    """HTTP status of the answer."""
    body: Any

    @property
    def accepted(self) -> bool:
        """Whether the body was taken."""
        return self.status < 400  # noqa: PLR2004 (where errors begin)


class State:
    """The file, shared by the server's thread and the caller's, one at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "graph.sqlite3"
        self._lock = threading.RLock()
        self._db = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        # A crash of the process loses nothing; only one of the machine could.
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
        )
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Carry out the block wholly or not at all; inside another one, as part of it."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.rollback()
                raise
            self._db.commit()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read at leisure what is committed now, while others go on."""
        with closing(sqlite3.connect(self._file, isolation_level=None)) as db:
            db.execute("BEGIN")
            yield db

    def number(self, name: str) -> int:
        """Read a kept number; 0 at first."""
        with self.transaction() as db:
            row = db.execute("SELECT value FROM numbers WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def set_number(self, name: str, value: int) -> None:
        """Keep a number."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO numbers VALUES (?, ?)", (name, value))

    def log_payload(self, type_name: str, purpose: str, status: int, body: object) -> None:
        """Note a learning object as it was sent."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO payloads(type, purpose, status, body) VALUES (?, ?, ?, ?)",
                (type_name, purpose, status, json.dumps(body)),
            )

    def payloads(self) -> Iterator[Payload]:
        """Yield what was sent, in that order."""
        with self.snapshot() as db:
            for row in db.execute("SELECT type, purpose, status, body FROM payloads ORDER BY number"):
                yield Payload(row[0], row[1], row[2], json.loads(row[3]))

    def export_viva(self, path: Path) -> None:
        """Write contents, then activities, each by external id, one JSON object a line."""
        with self.snapshot() as db, path.open("w", encoding="utf-8", newline="\n") as file:
            for (body,) in db.execute("SELECT body FROM contents ORDER BY external_id"):
                file.write(_line({"_type": "learningContent"}, body))
            for kind, content, body in db.execute(
                "SELECT a.type, c.external_id, a.body FROM activities a"
                " LEFT JOIN contents c ON c.id = a.content_id ORDER BY a.external_id, a.number"
            ):
                file.write(_line({"_type": kind, "_contentExternalId": content}, body))


def _line(head: Mapping[str, Any], body: str) -> str:
    return json.dumps({**head, **json.loads(body)}, ensure_ascii=False) + "\n"
