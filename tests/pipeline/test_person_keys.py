"""The forms of an id: hashes of what the rules leave of it, made once and good for every set of rules."""

import unicodedata
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.matching import ALL_RULES, EMPLOYEE_ID, RULES, bits_of, extensions_of, longest_id, rules_of
from shared.pipeline.engine import Engine, text
from shared.pipeline.person_keys import key_under, person_forms, person_key

SETS = [rules for size in range(len(RULES) + 1) for rules in combinations(RULES, size)]
IDS = st.text(alphabet="0012aA- .\u00a0ßäé", min_size=1, max_size=7).map(str.strip).filter(bool)


def left(found: str, rules: tuple[str, ...]) -> str:
    """What the rules leave, as the documents say it; an id of which nothing is left stays as it is."""
    whole = unicodedata.normalize("NFC", found).casefold()
    kept = "".join(
        letter
        for letter in whole
        if not (letter.isspace() and "drop_spaces" in rules)
        and not (not letter.isalnum() and not letter.isspace() and "drop_signs" in rules)
    )
    kept = kept.strip(" ") if rules else kept
    return (kept.lstrip("0") if "drop_leading_zeros" in rules else kept) or whole


@given(ids=st.lists(IDS, min_size=2, max_size=30))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_ids_have_one_key_when_the_rules_leave_the_same_of_both(columnar: Engine, ids: list[str]) -> None:
    columnar.run("create or replace temp table ids as select unnest($1::varchar[]) as v", [ids])
    columnar.run(
        f"create or replace temp table k as select {person_key('v')} as key, {person_forms('v')} as f from ids"
    )

    for rules in SETS:
        found = columnar.rows(f"select {key_under(bits_of(rules), 'key', 'f')} from k order by rowid")

        places = [found.index(each) for each in found]
        expected = [left(each, rules) for each in ids]
        assert places == [expected.index(each) for each in expected]


@pytest.mark.parametrize(
    ("found", "places"),
    [
        ("123", []),
        ("Straße", []),
        ("00123", [1]),
        ("A 17", [2]),
        ("A-17", [4]),
        ("quokka@example.com", [4]),
        ("0 17", [1, 2, 3]),
        ("0-0 17", [1, 2, 3, 4, 5, 6, 7]),
        ("000", []),
        ("--", []),
    ],
)
def test_only_rules_that_change_an_id_are_tried(columnar: Engine, found: str, places: list[int]) -> None:
    """Most ids have no forms and cost nothing more than their own hash."""
    forms = columnar.one(f"select {person_forms(text(found))}") or []

    assert [number for number, form in enumerate(forms, start=1) if form] == places


def test_an_empty_id_has_no_forms(columnar: Engine) -> None:
    assert columnar.one(f"select {person_forms('null::varchar')}") is None


def test_rules_are_told_from_their_bits() -> None:
    assert [rules_of(bits_of(rules)) for rules in SETS] == SETS
    assert (bits_of(RULES), extensions_of(ALL_RULES)) == (ALL_RULES, ())


def test_of_wider_sets_of_rules_the_smallest_come_first() -> None:
    assert extensions_of(0) == (1, 2, 4, 3, 5, 6, 7)
    assert extensions_of(2) == (3, 6, 7)


def test_only_the_employee_id_is_as_short_as_entra_says() -> None:
    assert (longest_id(EMPLOYEE_ID), longest_id("mail")) == (16, 1024)
