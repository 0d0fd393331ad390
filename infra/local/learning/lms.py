"""What SuccessFactors holds behind its interfaces: users, the courses offered to it, its items, and histories."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

CATEGORY = "MOOC"
"""Of every item that was imported from the Open Content Network."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users(id TEXT PRIMARY KEY, external TEXT NOT NULL, active INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS users_by_external ON users(external);
CREATE TABLE IF NOT EXISTS courses(
    id TEXT PRIMARY KEY, title TEXT NOT NULL, active INTEGER NOT NULL, born_inactive INTEGER NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items(id TEXT PRIMARY KEY, title TEXT NOT NULL, active INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history(
    number INTEGER PRIMARY KEY, user TEXT NOT NULL, item TEXT NOT NULL, completed_ms INTEGER NOT NULL,
    passed INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS history_by_user ON history(user, item);
CREATE TABLE IF NOT EXISTS kept(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the LMS."""

    user_id: str
    external_id: str
    active: bool


@dataclass(frozen=True, slots=True)
class Item:
    """What learners see of a course that was imported; not active ones stand under the filter for those."""

    item_id: str
    title: str
    active: bool
    category: str = CATEGORY


@dataclass(frozen=True, slots=True)
class Event:
    """A row of somebody's learning history."""

    user_id: str
    item_id: str
    completed_ms: int
    passed: bool
    body: Mapping[str, Any]


class Lms:
    """The state, in one file or in memory; for all threads, one at a time."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        file = ":memory:" if folder is None else str(folder / "lms.sqlite3")
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _SCHEMA)

    def close(self) -> None:
        """Let go of the file; what was only in memory is gone."""
        with self._lock:
            self._db.close()

    def kept(self, name: str) -> str | None:
        """Return something small that was kept."""
        rows = self._all("SELECT value FROM kept WHERE name = ?", name)
        return rows[0][0] if rows else None

    def keep(self, name: str, value: str) -> None:
        """Keep something small."""
        with self._changing() as db:
            db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def put_users(self, *users: User) -> None:
        """Add users, or change them."""
        with self._changing() as db:
            rows = [(user.user_id, user.external_id, user.active) for user in users]
            db.executemany("INSERT OR REPLACE INTO users VALUES (?, ?, ?)", rows)

    def find_user(self, user_id: str) -> User | None:
        """Return the user, if there is one."""
        rows = self._all("SELECT id, external, active FROM users WHERE id = ?", user_id)
        return _user(rows[0]) if rows else None

    def users(self, *, external_id: str | None = None, active: bool | None = None) -> Sequence[User]:
        """Return users by id: all, or those with this external id, or those who are or are not active."""
        rows = self._all(
            "SELECT id, external, active FROM users WHERE (?1 IS NULL OR external = ?1) AND (?2 IS NULL OR active = ?2)"
            " ORDER BY id",
            external_id,
            active,
        )
        return [_user(row) for row in rows]

    def put_course(self, course_id: str, title: str, body: Mapping[str, Any], *, active: bool) -> None:
        """Offer a course, or replace the one of that id."""
        with self._changing() as db:
            db.execute(
                "INSERT INTO courses VALUES (?1, ?2, ?3, NOT ?3, ?4) ON CONFLICT(id) DO UPDATE SET"
                " title = excluded.title, active = excluded.active, body = excluded.body",
                (course_id, title, active, json.dumps(body)),
            )

    def courses(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the courses offered, as they were last sent."""
        return {row[0]: json.loads(row[1]) for row in self._all("SELECT id, body FROM courses ORDER BY id")}

    def import_menu(self) -> Sequence[str]:
        """Return what an administrator can import: never a course that was first sent inactive."""
        rows = self._all(
            "SELECT id FROM courses WHERE active AND NOT born_inactive AND id NOT IN (SELECT id FROM items) ORDER BY id"
        )
        return [row[0] for row in rows]

    def import_courses(self) -> Sequence[str]:
        """Be the administrator: make items of all in the menu, bring the others up to date; return the new ones."""
        new = self.import_menu()
        with self._changing() as db:
            db.execute(
                "INSERT OR REPLACE INTO items SELECT id, title, active FROM courses"
                " WHERE (active AND NOT born_inactive) OR id IN (SELECT id FROM items)"
            )
        return new

    def items(self) -> Sequence[Item]:
        """Return what was imported, active or not."""
        return [
            Item(row[0], row[1], bool(row[2])) for row in self._all("SELECT id, title, active FROM items ORDER BY id")
        ]

    def has_item(self, item_id: str) -> bool:
        """Tell whether a course was imported."""
        return bool(self._all("SELECT 1 FROM items WHERE id = ?", item_id))

    def add_event(self, event: Event) -> None:
        """Add a row to a history; there is no update, and nobody looks whether it is there already."""
        with self._changing() as db:
            db.execute(
                "INSERT INTO history(user, item, completed_ms, passed, body) VALUES (?, ?, ?, ?, ?)",
                (event.user_id, event.item_id, event.completed_ms, event.passed, json.dumps(event.body)),
            )

    def history(self, user_id: str | None = None) -> Sequence[Event]:
        """Return the rows of one user or of everybody, in the order in which they came."""
        rows = self._all(
            "SELECT user, item, completed_ms, passed, body FROM history WHERE (?1 IS NULL OR user = ?1)"
            " ORDER BY number",
            user_id,
        )
        return [Event(row[0], row[1], row[2], bool(row[3]), json.loads(row[4])) for row in rows]

    def count_events(self) -> int:
        """Count the rows of all histories."""
        return int(self._all("SELECT COUNT(*) FROM history")[0][0])

    def duplicate_events(self) -> int:
        """Count rows about a user, an item and a moment that an earlier row is about as well."""
        rows = self._all(
            "SELECT COUNT(*) - (SELECT COUNT(*) FROM (SELECT DISTINCT user, item, completed_ms FROM history))"
            " FROM history"
        )
        return int(rows[0][0])

    def _all(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield self._db
            except BaseException:
                self._db.rollback()
                raise
            self._db.commit()


def milliseconds(time: datetime) -> int:
    """Return a time as the LMS writes it."""
    return int(time.timestamp() * 1000)


def _user(row: Sequence[Any]) -> User:
    return User(row[0], row[1], bool(row[2]))
