"""Locales have names in SuccessFactors; senders know language tags."""

import pytest

from shared.domain.locale_names import LOCALE_NAMES, find_locale_name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("English", "English"),
        (" english ", "English"),
        ("en", "English"),
        ("en-US", "English"),
        ("en_GB", "English United Kingdom"),
        ("en-AU", "English"),
        ("pt-BR", "Brazilian Portuguese"),
        ("pt-PT", "Portuguese"),
        ("fr-CA", "French Canadian"),
        ("es-MX", "Spanish Mexican"),
        ("es-419", "Spanish"),
        ("zh-Hant-TW", "Chinese Taiwan"),
        ("zh-Hant", "Chinese Taiwan"),
        ("zh-Hans-CN", "Chinese"),
        ("zh-HK", "Chinese Hong Kong"),
        ("nb-NO", "Norwegian"),
        ("nn", "Norwegian"),
        ("id", "Indonesian"),
        ("in", "Indonesian"),
        ("iw-IL", "Hebrew"),
        ("tlh", None),
        ("Klingon", None),
        ("x-klingon", None),
        ("", None),
        ("-", None),
    ],
)
def test_a_locale_is_found_by_name_or_tag(given: str, name: str | None) -> None:
    assert find_locale_name(given) == name


def test_a_tenants_own_names_are_known_once_they_are_given() -> None:
    assert find_locale_name("estonian", ["Estonian"]) == "Estonian"
    assert find_locale_name("estonian") is None


def test_every_name_finds_itself() -> None:
    assert {name: find_locale_name(name) for name in LOCALE_NAMES.values()} == {
        name: name for name in LOCALE_NAMES.values()
    }
