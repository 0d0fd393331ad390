"""What a package's file name says, and which keys package belongs to which main package."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.package import Kind, PackageName, pair_keys
from shared.wiring import get_profile

PATTERN = get_profile("successfactors").pattern
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def parse(file: str, zone: str = "UTC") -> PackageName | None:
    return PackageName.parse(file, pattern=PATTERN, zone=ZoneInfo(zone))


def package(kind: Kind, hours: float, file: str = "") -> PackageName:
    return PackageName(NOON + timedelta(hours=hours), file or f"{kind}{hours:+}", kind, "acme")


@pytest.mark.parametrize(
    ("file", "kind", "customer"),
    [
        ("acme_F_20261101120000.zip.pgp", Kind.FULL, "acme"),
        ("acme_D_20261101120000.zip.pgp", Kind.DELTA, "acme"),
        ("acme_K_20261101120000.zip.pgp", Kind.KEYS, "acme"),
        ("ACME_f_20261101120000.ZIP.PGP", Kind.FULL, "ACME"),
        ("a_D_b_20_K_20261101120000.zip.pgp", Kind.KEYS, "a_D_b_20"),
        ("acme_D_20261101120000zip.pgp", Kind.DELTA, "acme"),
    ],
    ids=["full", "delta", "keys", "any case", "customer with underscores", "as SAP's page misspells it"],
)
def test_a_name_says_kind_customer_and_time(file: str, kind: Kind, customer: str) -> None:
    assert parse(file) == PackageName(NOON, file, kind, customer)


@pytest.mark.parametrize(
    "file",
    [
        "readme.txt",
        "acme_F_20261101120000.zip",
        "acme_X_20261101120000.zip.pgp",
        "acme_F_2026110112000.zip.pgp",
        "acme_F_20261301120000.zip.pgp",
        "acme_F_20261101250000.zip.pgp",
        "acme_F_20261101120000.zip.pgp.part",
        "_F_20261101120000.zip.pgp",
        "",
    ],
    ids=["another", "not sealed", "kind", "13 digits", "month 13", "hour 25", "half written", "no customer", "empty"],
)
def test_another_name_is_no_package(file: str) -> None:
    """Nothing is guessed: what is not understood is left where it is."""
    assert parse(file) is None


def test_the_time_is_that_of_the_source() -> None:
    parsed = parse("acme_F_20261101120000.zip.pgp", "Europe/Berlin")

    assert parsed is not None
    assert parsed.timestamp == NOON - timedelta(hours=1)
    assert parsed.timestamp.tzinfo is UTC


def test_packages_are_in_the_order_of_their_times() -> None:
    late, early = package(Kind.FULL, 2, "a"), package(Kind.DELTA, 1, "z")

    assert sorted([late, early]) == [early, late]


@pytest.mark.parametrize(
    ("hours", "owner"), [(0.1, "first"), (-5, "first"), (14, "second"), (24, "second"), (12, "first"), (99, "second")]
)
def test_keys_belong_to_the_nearest_main_package(hours: float, owner: str) -> None:
    """In between they belong to the earlier one: keys are made after the rows that they list."""
    mains = [package(Kind.FULL, 0, "first"), package(Kind.DELTA, 24, "second")]
    keys = package(Kind.KEYS, hours)

    assert pair_keys([keys, *mains]) == {owner: keys}


def test_of_two_keys_packages_the_nearest_counts_and_of_two_as_near_the_later() -> None:
    main = package(Kind.FULL, 0, "main")
    near, far, after = package(Kind.KEYS, -1), package(Kind.KEYS, 2), package(Kind.KEYS, 1)

    assert pair_keys([main, near, far]) == {"main": near}
    assert pair_keys([main, near, far, after]) == {"main": after}


def test_keys_alone_belong_to_nobody() -> None:
    assert pair_keys([package(Kind.KEYS, 0)]) == {}


@given(
    st.lists(st.tuples(st.sampled_from(Kind), st.integers(-50, 50)), max_size=8, unique=True),
    st.randoms(use_true_random=False),
)
def test_pairing_does_not_depend_on_the_order_of_the_folder(found: list[tuple[Kind, int]], chance: object) -> None:
    names = [package(kind, hours) for kind, hours in found]
    shuffled = names.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a `Random`

    paired = pair_keys(shuffled)

    assert paired == pair_keys(names)
    assert all(keys.kind is Kind.KEYS for keys in paired.values())
    assert len({keys.file for keys in paired.values()}) == len(paired)


def test_a_pattern_is_data() -> None:
    """Another LMS has other names and the same three groups."""
    pattern = re.compile(r"(?P<customer>\w+)-(?P<kind>[fdk])-(?P<timestamp>\d{14})\.gpg")

    parsed = PackageName.parse("beta-d-20261101120000.gpg", pattern=pattern, zone=ZoneInfo("UTC"))

    assert parsed == PackageName(NOON, "beta-d-20261101120000.gpg", Kind.DELTA, "beta")
