"""The page about cost: its tables are generated, and its arithmetic can be done again by hand."""

import json
import re
from collections.abc import Mapping

import pytest

from tests import cost
from tests.cost import GB, ITEMS, QUANTITIES, ROOT, Book, bill, quantities, read_book

BOOK = read_book()
PAGE = (ROOT / "docs" / "cost.md").read_text("utf-8")


class Noted(dict[str, float]):
    """Numbers that note who was asked for."""

    def __init__(self, values: Mapping[str, float]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> float:
        self.asked.add(name)
        return super().__getitem__(name)


def changed(name: str, value: float) -> Book:
    document = json.loads(BOOK.model_dump_json())
    document["assumptions"][name]["value"] = value
    return Book.model_validate(document)


def test_a_month_of_the_large_tenant_by_hand() -> None:
    """The same sums without the generator's formulas, from the benchmark's own file."""
    measured = json.loads((ROOT / "docs" / "performance.json").read_text("utf-8"))
    whole = measured["sync"]["stages"]["sync"]
    rows = 500_000 * whole["rows"] / measured["sizes"]["learners"]
    changes = rows * 0.001 * 30
    seconds = rows * whole["seconds"] / whole["rows"] * 2 * 30 + changes / 20 * 1 + (730 + 8760) * 1

    found = bill(BOOK, BOOK.sizes[2])

    assert found["Function app: time"] == pytest.approx(max(seconds * 2 - 100_000, 0) * 0.000026)
    stored = (measured["sync"]["package_bytes"] * 1.29 + rows * 60 * 9) / GB
    assert found["Blobs: kept"] == pytest.approx(stored * 0.023)
    assert found["NAT gateway: hours"] == pytest.approx(32.85)


def test_every_number_of_the_book_matters() -> None:
    """A price or an assumption that no line uses would look as if it were on the bill."""
    known = Noted(quantities(BOOK, BOOK.sizes[0]))
    for each in QUANTITIES:
        each.value(known)
    for item in ITEMS:
        item.units(known)

    assert BOOK.assumptions.keys() <= known.asked
    assert {item.price for item in ITEMS} | {"premium_hour"} == BOOK.prices.keys()


@pytest.mark.parametrize(
    "name", ["packages", "change_share", "slower", "instance_gb", "request_seconds", "table_bytes"]
)
def test_more_of_it_costs_more(name: str) -> None:
    """Ten times as much, which what is free of charge does not cover, however fast the measured machine was."""
    size = BOOK.sizes[2]

    assert sum(bill(changed(name, BOOK.assumptions[name].value * 10), size).values()) > sum(bill(BOOK, size).values())


def test_the_network_counts_what_the_template_makes() -> None:
    assert cost.counted() == {"alert_rules": 7, "endpoints": 4}


def test_the_memory_that_was_measured_fits_into_the_instance() -> None:
    assert cost.measured()["peak_memory_mb"] < BOOK.assumptions["instance_gb"].value * 1000


def test_schedules_and_memory_are_those_of_the_templates() -> None:
    main = (ROOT / "infra" / "main.bicep").read_text("utf-8")

    assert "param collectSchedule string = '0 5 * * * *'" in main
    assert "param sweepSchedule string = '0 */5 * * * *'" in main
    assert "param instanceMemoryMb int = 2048" in main
    assert BOOK.assumptions["sweeps"].value == BOOK.assumptions["hours"].value * 12


def test_the_page_names_the_rules_that_are_more_frequent_than_the_price_says() -> None:
    """Alerts that look more often than every 15 minutes cost more; there is none."""
    alerts = (ROOT / "infra" / "modules" / "alerts.bicep").read_text("utf-8")

    assert set(re.findall(r"^    every: '(\w+)'", alerts, re.MULTILINE)) <= {"PT15M", "PT30M", "PT1H"}


def test_the_words_around_the_tables_agree_with_them() -> None:
    """The page's first sentence says what it comes to; it is written by hand."""
    totals = [sum(bill(BOOK, size).values()) for size in BOOK.sizes]
    said = [int(each.replace(",", "")) for each in re.findall(r"\*\*about (\d[\d,]*)\*\*", PAGE)]

    assert said == [round(each) for each in totals]
