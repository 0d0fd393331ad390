"""What the connector costs a month: prices and workload of `docs/cost.json`, speed and sizes as they were measured.

The documents' generator takes its tables from here, so that none is computed by hand.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from shared.domain.plan import BATCH, SHARD_SIZE
from tests.bench.publish import FILE as MEASURED
from tests.bench.result import Result

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "cost.json"
WHOLE = "sync"
"""The stage of the benchmark that holds all others: from the download to the change set, with the directory."""
GB = 10**9


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(_Strict):
    """What one unit costs, as somebody believes; it differs by region and changes."""

    amount: float
    per: str
    what: str
    look_up: str


class Assumption(_Strict):
    """A number that nobody has measured here, and where it comes from."""

    value: float
    unit: str
    why: str


class Size(_Strict):
    """A tenant."""

    name: str
    learners: int


class Book(_Strict):
    """`docs/cost.json`."""

    as_of: str
    currency: str
    prices: dict[str, Price]
    assumptions: dict[str, Assumption]
    sizes: list[Size]


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that is counted or computed, with how."""

    name: str
    unit: str
    how: str
    value: Callable[[Mapping[str, float]], float]


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the bill: how many units of which price; `part` says when it is on the bill."""

    name: str
    how: str
    price: str
    units: Callable[[Mapping[str, float]], float]
    part: str = "always"


QUANTITIES = (
    Quantity("rows", "rows", "learners x rows a learner", lambda q: q["learners"] * q["rows_per_learner"]),
    Quantity(
        "processing_seconds",
        "s",
        "rows x seconds a row x slower x (1 + (packages - 1) x delta cost)",
        lambda q: q["rows"] * q["seconds_per_row"] * q["slower"] * (1 + (q["packages"] - 1) * q["delta_cost"]),
    ),
    Quantity(
        "changes", "writes", "rows x change share x packages", lambda q: q["rows"] * q["change_share"] * q["packages"]
    ),
    Quantity("requests", "requests", f"changes / {BATCH}", lambda q: q["changes"] / BATCH),
    Quantity(
        "shards",
        "shards",
        f"changes / {SHARD_SIZE}, one a package at least",
        lambda q: max(q["changes"] / SHARD_SIZE, q["packages"]),
    ),
    Quantity("pushing_seconds", "s", "requests x request seconds", lambda q: q["requests"] * q["request_seconds"]),
    Quantity("timer_runs", "runs", "looks + sweeps", lambda q: q["looks"] + q["sweeps"]),
    Quantity(
        "gb_seconds",
        "GB-s",
        "(processing + pushing + timer runs x timer seconds) x instance GB",
        lambda q: (
            (q["processing_seconds"] + q["pushing_seconds"] + q["timer_runs"] * q["timer_seconds"]) * q["instance_gb"]
        ),
    ),
    Quantity(
        "executions",
        "runs",
        "timer runs + 4 x packages + shards",
        lambda q: q["timer_runs"] + 4 * q["packages"] + q["shards"],
    ),
    Quantity(
        "sealed_gb",
        "GB",
        "rows x packed bytes a row x (1 + (packages - 1) x delta share)",
        lambda q: q["rows"] * q["packed_bytes_per_row"] * (1 + (q["packages"] - 1) * q["delta_share"]) / GB,
    ),
    Quantity(
        "tables_gb", "GB", "rows x table bytes x copies", lambda q: q["rows"] * q["table_bytes"] * q["copies"] / GB
    ),
    Quantity(
        "blob_writes",
        "writes",
        "packages x package writes + shards x shard writes",
        lambda q: q["packages"] * q["package_writes"] + q["shards"] * q["shard_writes"],
    ),
    Quantity("blob_reads", "reads", "executions x reads", lambda q: q["executions"] * q["reads"]),
    Quantity("queue_operations", "operations", "hours x 3600 x polls", lambda q: q["hours"] * 3600 * q["polls"]),
    Quantity(
        "table_calls", "operations", "executions x table operations", lambda q: q["executions"] * q["table_operations"]
    ),
    Quantity("vault_calls", "operations", "executions x vault reads", lambda q: q["executions"] * q["vault_reads"]),
    Quantity(
        "log_gb",
        "GB",
        "executions x run log bytes + (blob writes + blob reads + table calls + vault calls) x access bytes",
        lambda q: (
            (
                q["executions"] * q["run_log_bytes"]
                + (q["blob_writes"] + q["blob_reads"] + q["table_calls"] + q["vault_calls"]) * q["access_bytes"]
            )
            / GB
        ),
    ),
    Quantity(
        "traffic_gb",
        "GB",
        "sealed GB + packages x tables GB / copies x 2",
        lambda q: q["sealed_gb"] + q["packages"] * q["tables_gb"] / q["copies"] * 2,
    ),
)

ITEMS = (
    Item(
        "Function app: time",
        "(GB-seconds - free GB-seconds)",
        "flex_gb_second",
        lambda q: max(q["gb_seconds"] - q["free_gb_seconds"], 0),
    ),
    Item(
        "Function app: runs",
        "(executions - free executions) / 10^6",
        "flex_million_executions",
        lambda q: max(q["executions"] - q["free_executions"], 0) / 10**6,
    ),
    Item("Blobs: kept", "sealed GB + tables GB", "blob_gb", lambda q: q["sealed_gb"] + q["tables_gb"]),
    Item("Blobs: written", "blob writes / 10^4", "blob_10k_writes", lambda q: q["blob_writes"] / 10**4),
    Item("Blobs: read", "blob reads / 10^4", "blob_10k_reads", lambda q: q["blob_reads"] / 10**4),
    Item("Queues", "queue operations / 10^4", "queue_10k", lambda q: q["queue_operations"] / 10**4),
    Item("Tables", "table calls / 10^4", "table_10k", lambda q: q["table_calls"] / 10**4),
    Item("Key Vault", "vault calls / 10^4", "vault_10k", lambda q: q["vault_calls"] / 10**4),
    Item("Logs: taken in", "log GB", "log_gb", lambda q: q["log_gb"]),
    Item(
        "Logs: kept",
        "log GB x (retention months - 3)",
        "log_gb_month",
        lambda q: q["log_gb"] * max(q["retention_months"] - 3, 0),
    ),
    Item("Alerts", "alert rules of the template", "alert_15", lambda q: q["alert_rules"]),
    Item("NAT gateway: hours", "hours", "nat_hour", lambda q: q["hours"], "network"),
    Item("NAT gateway: data", "sealed GB", "nat_gb", lambda q: q["sealed_gb"], "network"),
    Item("Fixed address", "hours", "address_hour", lambda q: q["hours"], "network"),
    Item(
        "Private endpoints: hours",
        "endpoints x hours",
        "endpoint_hour",
        lambda q: q["endpoints"] * q["hours"],
        "network",
    ),
    Item("Private endpoints: data", "traffic GB", "endpoint_gb", lambda q: q["traffic_gb"], "network"),
    Item("Private DNS zones", "zones", "zone_month", lambda q: q["endpoints"], "network"),
)


def read_book() -> Book:
    """Return prices, assumptions and sizes."""
    return Book.model_validate_json(FILE.read_text("utf-8"))


def measured() -> dict[str, float]:
    """Return what the benchmark has measured, by row and by learner."""
    result = Result.model_validate_json(MEASURED.read_text("utf-8"))
    figures = result.sync.stages[WHOLE]
    return {
        "seconds_per_row": figures.seconds / figures.rows,
        "rows_per_learner": figures.rows / result.sizes["learners"],
        "packed_bytes_per_row": result.sync.package_bytes / figures.rows,
        "peak_memory_mb": max(each.peak_memory_bytes for each in result.sync.stages.values()) / 10**6,
    }


def counted() -> dict[str, float]:
    """Return what the templates make that is paid for by the piece."""
    alerts = (ROOT / "infra" / "modules" / "alerts.bicep").read_text("utf-8")
    network = (ROOT / "infra" / "modules" / "network.bicep").read_text("utf-8")
    targets = re.search(r"^var targets = \[\n(.*?)^\]", network, re.MULTILINE | re.DOTALL)
    assert targets is not None
    return {
        "alert_rules": len(re.findall(r"^    every: '", alerts, re.MULTILINE)),
        "endpoints": len(re.findall(r"^  \{", targets[1], re.MULTILINE)),
    }


def quantities(book: Book, size: Size) -> dict[str, float]:
    """Return all numbers about a tenant: measured, counted, assumed and computed."""
    known = {name: each.value for name, each in book.assumptions.items()}
    known |= measured() | counted() | {"learners": size.learners}
    for each in QUANTITIES:
        known[each.name] = each.value(known)
    return known


def bill(book: Book, size: Size) -> dict[str, float]:
    """Return the month's cost by item."""
    known = quantities(book, size)
    return {item.name: item.units(known) * book.prices[item.price].amount for item in ITEMS}
