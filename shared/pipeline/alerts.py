"""Tell whoever is on call what is wrong, once: in the log, where Application Insights finds it, and by a webhook.

What was told is kept until it is over, so that the same thing is not told again before. A webhook that fails is tried
again with the next sweep; the log has it by then.
"""

import logging
from collections.abc import Mapping, Sequence

from shared.domain.alert import AlertKind, Condition
from shared.domain.connection import Connection
from shared.domain.errors import BusyError, Code, SettingsError, TransientError
from shared.pipeline import journal, keep_poison
from shared.pipeline.alert_conditions import find_conditions
from shared.pipeline.keep_poison import Poison
from shared.pipeline.parts import Parts

log = logging.getLogger(__name__)


def watch_all(parts: Parts) -> None:
    """Look how every connection stands, and tell what is new. What goes wrong here hurts nobody else."""
    try:
        keep_poison.forget_replayed(parts)
        poison = keep_poison.list_poison(parts)
    except (SettingsError, TransientError) as error:
        log.warning("alerts.failed reason=%s", error)
        return
    for name in list(parts.connections.list_names()):
        _watch(parts, name, poison)


def watch_expiry(parts: Parts, name: str) -> None:
    """Look into the vault for what expires, and tell what is new; once a day is enough."""
    from shared.pipeline.key_expiry import find_expiring  # noqa: PLC0415 - paid once a day

    try:
        connection = journal.get_connection(parts, name)
        found = find_expiring(parts, connection) if connection.enabled else []
        tell(parts, name, connection, {AlertKind.EXPIRING: found})
    except BusyError:
        log.info("alerts.busy connection=%s", name)
    except (SettingsError, TransientError) as error:
        log.warning("alerts.failed connection=%s reason=%s", name, error)


def _watch(parts: Parts, name: str, poison: Sequence[Poison]) -> None:
    try:
        connection = _find_connection(parts, name)
        tell(parts, name, connection, find_conditions(parts, name, connection, poison))
    except BusyError:
        log.info("alerts.busy connection=%s", name)
    except (SettingsError, TransientError) as error:
        log.warning("alerts.failed connection=%s reason=%s", name, error)


def tell(
    parts: Parts, name: str, connection: Connection | None, found: Mapping[AlertKind, Sequence[Condition]]
) -> None:
    """Tell what is new among the conditions found. Of a kind that is named, what is not found any more is over.

    Raises:
        BusyError: somebody else is at it.
    """
    with parts.leases.hold(f"alerts/{name}"):
        known = dict(parts.alerts.list_rows(name))
        now_so = {condition.key: condition for conditions in found.values() for condition in conditions}
        for key, row in list(known.items()):
            if key not in now_so and AlertKind(row["kind"]) in found:
                parts.alerts.delete(name, key)
                del known[key]
                log.info("alert.over connection=%s kind=%s", name, row["kind"])
        for key, condition in now_so.items():
            if key not in known or known[key]["code"] != condition.code:
                known[key] = _raise(parts, name, condition)
        _deliver(parts, name, connection, known)


def _raise(parts: Parts, name: str, condition: Condition) -> dict[str, str]:
    """Log the alert, and keep it; nobody has been told by the webhook yet."""
    log.log(
        condition.kind.level,
        "alert.%s connection=%s subject=%s code=%s text=%s",
        condition.kind,
        name,
        condition.subject,
        condition.code,
        condition.text,
    )
    row = condition.model_dump(mode="json") | {"raised_at": parts.clock().isoformat(), "told_at": ""}
    parts.alerts.put(name, condition.key, row)
    return row


def _deliver(parts: Parts, name: str, connection: Connection | None, known: Mapping[str, dict[str, str]]) -> None:
    """Send by the webhook what it has not sent yet."""
    waiting = {key: row for key, row in known.items() if not row["told_at"]}
    if not waiting or connection is None or connection.alert_webhook_secret is None:
        return
    try:
        url = parts.secrets.get(connection.alert_webhook_secret).value.strip()
        for key, row in waiting.items():
            parts.webhook.post(url, message(name, row))
            parts.alerts.put(name, key, row | {"told_at": parts.clock().isoformat()})
    except (SettingsError, TransientError) as error:
        log.warning("alert.undelivered connection=%s reason=%s", name, error)


def message(name: str, row: Mapping[str, str]) -> str:
    """Return what people read."""
    code = f" ({row['code']})" if row["code"] in Code else ""
    return f"LMS connector, connection {name}: {row['kind']}. {row['text']}{code}"


def _find_connection(parts: Parts, name: str) -> Connection | None:
    """Return the configuration; one that is not valid is told of by the look that fails for it."""
    try:
        return journal.get_connection(parts, name)
    except SettingsError:
        return None
