"""Whatever follows the specification is taken, and whatever breaks one rule of it is refused exactly there."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.faults import path_of
from shared.domain.xapi.versions import Version
from shared.domain.xapi.vocabulary import KEYS
from tests.xapi.strategies import breaks, broken, statements
from tests.xapi.test_rules import BOTH, fault

MADE = {version: statements(version) for version in BOTH}
UNHURRIED = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.parametrize("version", BOTH)
@UNHURRIED
@given(data=st.data())
def test_any_valid_statement_is_taken_and_any_one_break_is_refused_at_its_place(
    version: Version, data: st.DataObject
) -> None:
    statement: Any = data.draw(MADE[version])
    place, how = data.draw(st.sampled_from(list(breaks(statement))))
    found = fault(broken(statement, place, how), version)

    assert fault(json.loads(json.dumps(statement)), version) is None
    assert found is not None
    assert found.path == path_of(place, KEYS)
