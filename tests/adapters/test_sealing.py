"""What rests sealed: it opens with its own key in its own place, and any change is noticed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.sealing import AesGcm
from shared.domain.errors import Code, PackageError, SettingsError
from shared.ports import Secret

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OLD, NEW = Secret("v1", "11" * 32, NOW), Secret("v2", "22" * 32, NOW)
SEALING = AesGcm()


@given(st.binary(max_size=2000), st.text(max_size=50))
def test_what_is_sealed_opens_in_its_own_place(content: bytes, context: str) -> None:
    sealed = SEALING.seal(content, context, [NEW])

    assert SEALING.open(sealed, context, [NEW, OLD]) == content
    with pytest.raises(PackageError):
        SEALING.open(sealed, context + "x", [NEW])


def test_the_newest_key_seals_and_every_enabled_one_opens() -> None:
    """So the key is changed without a gap."""
    before = SEALING.seal(b"content", "a", [OLD])
    after = SEALING.seal(b"content", "a", [NEW, OLD])

    assert SEALING.open(before, "a", [NEW, OLD]) == SEALING.open(after, "a", [NEW]) == b"content"
    with pytest.raises(SettingsError, match="needs version v1") as caught:
        SEALING.open(before, "a", [NEW])
    assert caught.value.code is Code.NO_MATCHING_KEY


def test_the_same_content_never_looks_the_same() -> None:
    assert len({SEALING.seal(b"content", "a", [NEW]) for _ in range(100)}) == 100


def test_any_change_is_noticed() -> None:
    """Wherever a bit is turned, and wherever it is cut off."""
    sealed = SEALING.seal(b"content", "a", [NEW])

    for at in range(len(sealed)):
        with pytest.raises((PackageError, SettingsError)):
            SEALING.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], "a", [NEW])
        with pytest.raises((PackageError, SettingsError)):
            SEALING.open(sealed[:at], "a", [NEW])


@pytest.mark.parametrize("value", ["", "22" * 16, "no hex at all", "22" * 33])
def test_a_key_that_is_none_is_told_without_its_value(value: str) -> None:
    with pytest.raises(SettingsError, match="64 hex digits") as caught:
        SEALING.seal(b"content", "a", [Secret("v3", value, NOW)])

    assert not value or value not in str(caught.value)


def test_without_any_key_nothing_is_sealed() -> None:
    with pytest.raises(SettingsError):
        SEALING.seal(b"content", "a", [])
