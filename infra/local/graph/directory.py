"""Users: the whole directory from a file, and its listing. Changes of it are in `delta`."""

import csv
import json
import re
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from infra.local.graph.answers import Answer, bad_request, method_not_allowed
from infra.local.graph.calls import Call
from infra.local.graph.faults import Faults
from infra.local.graph.state import State

LICENCE_SERVICE_PLAN_ID = "5f0f7c3e-2a41-4f0b-9d57-6c1f4e8b9a20"
"""The premium plan that a learner needs; made up, every tenant reads its own from `subscribedSkus`."""
SEEDED_SERVICE_PLAN_ID = "b76fb638-6ba6-402a-b9f9-83d28acb3d86"
"""What comes with other licences and is not enough."""

COLUMNS = {
    "id": "id",
    "employeeId": "employee_id",
    "accountEnabled": "account_enabled",
    "userType": "user_type",
    "userPrincipalName": "coalesce((SELECT user_principal_name FROM attributes a WHERE a.id = users.id),"
    " 'user-' || lower(id) || '@tenant.example')",
    "mail": "(SELECT mail FROM attributes a WHERE a.id = users.id)",
    "onPremisesExtensionAttributes": "(SELECT extension_attributes FROM attributes a WHERE a.id = users.id)",
    "assignedPlans": "licensed",
}
"""What may be selected, and where it stands; of the attributes of an extension all come at once."""
_EXTENSIONS = tuple(f"extensionAttribute{number}" for number in range(1, 16))
_ADDRESSES = ("userPrincipalName", "mail")
_DEFAULT_PAGE = 100
_LONGEST_PAGE = 999
_MOST_VALUES = 15
_QUOTED = r"'(?:[^']|'')*'"
_FILTER = re.compile(
    rf"\s*(?P<name>employeeId|id)\s+(?:eq\s+(?P<one>{_QUOTED})|in\s*\((?P<many>\s*{_QUOTED}(?:\s*,\s*{_QUOTED})*)\s*\))\s*"
)
_BOOLEANS = {"true": 1, "false": 0}


def _plans(service: str, plan_id: str) -> list[dict[str, str]]:
    return [
        {
            "assignedDateTime": "2026-01-01T00:00:00Z",
            "capabilityStatus": "Enabled",
            "service": service,
            "servicePlanId": plan_id,
        }
    ]


_ASSIGNED_PLANS = (
    _plans("Viva Learning Seeded", SEEDED_SERVICE_PLAN_ID),
    _plans("Viva Learning", LICENCE_SERVICE_PLAN_ID),
)


def read_select(call: Call) -> list[str]:
    """Names to give; `employeeId` only when asked for, as at Graph."""
    if "$select" not in call.options:
        return ["id", "userPrincipalName"]
    names = [name.strip() for name in call.options["$select"].split(",")]
    for name in names:
        if name not in COLUMNS:
            raise bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.user'.")
    return ["id", *(name for name in dict.fromkeys(names) if name != "id")]


def user(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """Make a user from the columns of its names."""
    found = dict(zip(names, row, strict=False))
    if "accountEnabled" in found:
        found["accountEnabled"] = bool(found["accountEnabled"])
    if "assignedPlans" in found:
        found["assignedPlans"] = _ASSIGNED_PLANS[found["assignedPlans"]]
    if "onPremisesExtensionAttributes" in found:
        given = json.loads(found["onPremisesExtensionAttributes"] or "{}")
        found["onPremisesExtensionAttributes"] = {name: given.get(name) for name in _EXTENSIONS}
    return found


def make_token(value: Mapping[str, Any]) -> str:
    """Hide where a listing stands in text that only we read."""
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def read_token(text: str) -> dict[str, Any]:
    """Read such a text; refuse one that we did not make."""
    try:
        value = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise bad_request("The token is not valid.", code="Directory_ExpiredPageToken")
    return value


class Directory:
    """All users of the tenant."""

    def __init__(self, state: State) -> None:
        self._state = state

    def load(self, file: Path) -> None:
        """Make the file's users all there are; see `GraphSimulator.load_directory`."""
        with self._state.transaction() as db, file.open(encoding="utf-8-sig", newline="") as text:
            at = self._state.number("directory_version") + 1
            self._state.set_number("directory_version", at)
            db.execute(
                "CREATE TEMP TABLE incoming(id TEXT COLLATE NOCASE PRIMARY KEY, employee_id TEXT,"
                " account_enabled INTEGER, user_type TEXT, licensed INTEGER) WITHOUT ROWID"
            )
            try:
                db.executemany("INSERT INTO incoming VALUES (?, ?, ?, ?, ?)", _read_users(text))
            except sqlite3.IntegrityError:
                raise ValueError("an id stands in the directory file twice") from None
            text.seek(0)
            db.execute(
                "CREATE TEMP TABLE incoming_attributes(id TEXT COLLATE NOCASE PRIMARY KEY, user_principal_name TEXT,"
                " mail TEXT, extension_attributes TEXT) WITHOUT ROWID"
            )
            db.executemany("INSERT INTO incoming_attributes VALUES (?, ?, ?, ?)", _read_attributes(text))
            for statement in (*_REPLACE, *_REPLACE_ATTRIBUTES):
                db.execute(statement, {"at": at})
            db.execute("DROP TABLE incoming")
            db.execute("DROP TABLE incoming_attributes")

    def is_licensed(self, user_id: str) -> bool | None:
        """Tell whether the user has the premium plan; `None` when there is no such user."""
        with self._state.transaction() as db:
            row = db.execute("SELECT licensed FROM users WHERE id = ?", (user_id,)).fetchone()
        return None if row is None else bool(row[0])

    def answer(self, call: Call, faults: Faults, base: str) -> Answer:
        """`GET /users`."""
        if call.method != "GET":
            raise method_not_allowed()
        call.allow_options({"$select", "$top", "$filter", "$skiptoken"})
        names = read_select(call)
        size = _page_size(call.options.get("$top"))
        condition, values = _condition(call.options.get("$filter"))
        after = read_token(call.options["$skiptoken"]).get("after") if "$skiptoken" in call.options else ""
        if not isinstance(after, str):
            raise bad_request("The token is not valid.", code="Directory_ExpiredPageToken")
        rows: list[Any] = []
        more = faults.take("empty_pages")
        if not more:
            with self._state.transaction() as db:
                rows = db.execute(
                    f"SELECT {', '.join(COLUMNS[name] for name in names)} FROM users"
                    f" WHERE id > ? {condition} ORDER BY id LIMIT ?",
                    (after, *values, size + 1),
                ).fetchall()
            more = len(rows) > size
            rows = rows[:size]
            after = rows[-1][0] if rows else after
        body: dict[str, Any] = {
            "@odata.context": f"{base}/$metadata#users({','.join(names)})",
            "value": [user(names, row) for row in rows],
        }
        if more:
            options = {**call.options, "$skiptoken": make_token({"after": after})}
            body["@odata.nextLink"] = f"{base}/users?{urlencode(options, safe='$')}"
        return Answer(200, body, {"x-ms-resource-unit": "1"})


def licences(call: Call) -> Answer:
    """List what the tenant has bought: the premium plan, and the seeded one that comes with other things."""
    if call.method != "GET":
        raise method_not_allowed()
    call.allow_options({"$select"})
    plans = ((LICENCE_SERVICE_PLAN_ID, "VIVA_LEARNING_PREMIUM"), (SEEDED_SERVICE_PLAN_ID, "VIVA_LEARNING_SEEDED"))
    return Answer(
        200,
        {
            "value": [
                {
                    "capabilityStatus": "Enabled",
                    "servicePlans": [{"servicePlanId": plan_id, "servicePlanName": name}],
                }
                for plan_id, name in plans
            ]
        },
    )


def _read_users(text: Iterator[str]) -> Iterator[tuple[str, str | None, int, str | None, int]]:
    lines = csv.reader(text)
    header = next(lines, [])
    wanted = ["id", "employeeId", "accountEnabled", "userType"]
    if set(header) - {"licensed", *_ADDRESSES, *_EXTENSIONS} != set(wanted) or len(set(header)) < len(header):
        raise ValueError(
            f"the directory file needs the columns {', '.join(wanted)} and may have licensed, {', '.join(_ADDRESSES)}, "
            "and extensionAttribute1 to 15"
        )
    places = [header.index(name) for name in wanted]
    licensed = header.index("licensed") if "licensed" in header else None
    for row in lines:
        if not row:
            continue
        try:
            user_id, employee_id, enabled, user_type = (row[place] for place in places)
            yield (
                user_id or row[len(row)],  # Without an id the row is wrong.
                employee_id or None,
                _BOOLEANS[enabled.lower()],
                user_type or None,
                1 if licensed is None else _BOOLEANS[row[licensed].lower()],
            )
        except (IndexError, KeyError, ValueError):
            # What the row holds is a person's, so only its place is told.
            raise ValueError(f"line {lines.line_num} of the directory file is wrong") from None


def _read_attributes(text: Iterator[str]) -> Iterator[tuple[str, str | None, str | None, str | None]]:
    """Read what is in no column that every file has; nothing of a file that has no more columns."""
    lines = csv.DictReader(text)
    if not {*_ADDRESSES, *_EXTENSIONS} & set(lines.fieldnames or ()):
        return
    for row in lines:
        extensions = {name: row[name] for name in _EXTENSIONS if row.get(name)}
        yield (
            row["id"],
            row.get("userPrincipalName") or None,
            row.get("mail") or None,
            json.dumps(extensions) if extensions else None,
        )


def _page_size(top: str | None) -> int:
    if top is None:
        return _DEFAULT_PAGE
    if not re.fullmatch(r"\d{1,9}", top, re.ASCII) or not 1 <= int(top) <= _LONGEST_PAGE:
        raise bad_request(
            "Invalid page size specified. Must be between 1 and 999 inclusive.", code="Request_BadRequest"
        )
    return int(top)


def _condition(text: str | None) -> tuple[str, list[str]]:
    if text is None:
        return "", []
    match = _FILTER.fullmatch(text)
    if not match:
        raise bad_request("Unsupported or invalid query filter clause.", code="Request_UnsupportedQuery")
    quoted = re.findall(_QUOTED, match["one"] or match["many"])
    if len(quoted) > _MOST_VALUES:
        raise bad_request(
            "Too many child clauses specified in search filter expression containing 'OR' operators:"
            f" {len(quoted)}. Max allowed: {_MOST_VALUES}.",
            code="Request_UnsupportedQuery",
        )
    values = [each[1:-1].replace("''", "'") for each in quoted]
    return f"AND {COLUMNS[match['name']]} IN ({', '.join('?' * len(values))})", values


_REPLACE_ATTRIBUTES = (
    """UPDATE users SET changed_at = :at WHERE id IN (
         SELECT id FROM incoming_attributes i LEFT JOIN attributes a USING (id)
         WHERE i.user_principal_name IS NOT a.user_principal_name
         UNION ALL SELECT id FROM attributes WHERE user_principal_name IS NOT NULL
         AND id NOT IN (SELECT id FROM incoming_attributes))""",
    "DELETE FROM attributes WHERE id NOT IN (SELECT id FROM users)",
    """UPDATE attributes SET user_principal_name = NULL, mail = NULL, extension_attributes = NULL,
         user_principal_name_at = iif(user_principal_name IS NULL, user_principal_name_at, :at)
       WHERE id NOT IN (SELECT id FROM incoming_attributes)""",
    """INSERT OR REPLACE INTO attributes
       SELECT i.id, i.user_principal_name, i.mail, i.extension_attributes,
         iif(a.id IS NOT NULL AND i.user_principal_name IS a.user_principal_name, a.user_principal_name_at, :at)
       FROM incoming_attributes i LEFT JOIN attributes a USING (id)""",
)
_REPLACE = (
    "INSERT INTO removed SELECT id, :at FROM users WHERE id NOT IN (SELECT id FROM incoming)",
    "DELETE FROM users WHERE id NOT IN (SELECT id FROM incoming)",
    """UPDATE users SET
         employee_id = i.employee_id, account_enabled = i.account_enabled,
         user_type = i.user_type, licensed = i.licensed,
         employee_id_at = iif(users.employee_id COLLATE BINARY IS i.employee_id, employee_id_at, :at),
         account_enabled_at = iif(users.account_enabled = i.account_enabled, account_enabled_at, :at),
         user_type_at = iif(users.user_type IS i.user_type, user_type_at, :at),
         changed_at = iif(users.employee_id COLLATE BINARY IS i.employee_id
             AND users.account_enabled = i.account_enabled
             AND users.user_type IS i.user_type, changed_at, :at)
       FROM incoming i WHERE i.id = users.id AND (users.employee_id COLLATE BINARY IS NOT i.employee_id
         OR users.account_enabled <> i.account_enabled OR users.user_type IS NOT i.user_type
         OR users.licensed <> i.licensed)""",
    """INSERT INTO users SELECT id, employee_id, account_enabled, user_type, licensed, :at, :at, :at, :at, :at
       FROM incoming WHERE id NOT IN (SELECT id FROM users) ORDER BY id""",
    "DELETE FROM removed WHERE id IN (SELECT id FROM incoming)",
)
