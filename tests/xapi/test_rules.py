"""Every rule of the specification that a statement may break: what follows it is taken, what does not is not."""

import pytest
from pydantic import ValidationError

from shared.domain.errors import Code
from shared.domain.faults import Fault, first_fault
from shared.domain.xapi.statement import read_statement
from shared.domain.xapi.values import FORMATS, TAG
from shared.domain.xapi.versions import Version
from shared.domain.xapi.vocabulary import KEYS
from tests.xapi.rules import REFUSED, TAKEN, WIDER_REFUSED
from tests.xapi.samples import LEAST, changed, full

BOTH = (Version.V1, Version.V2)
ONLY_OLD = ("2026-03-31T17:00:00", "20260331T170000Z", "2026-W14-2T17:00Z", "2026-03-31T17:00+02", "2026-03-31T17:00Z")


def fault(value: object, version: Version = Version.V1) -> Fault | None:
    try:
        read_statement(value, version)
    except ValidationError as e:
        return first_fault(e, KEYS, FORMATS, TAG)
    return None


@pytest.mark.parametrize("version", BOTH)
def test_everything_the_specification_allows_is_taken(version: Version) -> None:
    assert fault(full(version)) is None


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("rule", TAKEN)
def test_taken(rule: str, version: Version) -> None:
    assert fault(TAKEN[rule], version) is None


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("rule", REFUSED)
def test_refused(rule: str, version: Version) -> None:
    path, statement = REFUSED[rule]
    found = fault(statement, version)

    assert found is not None
    assert found.path == path
    assert found.message.endswith(".")


@pytest.mark.parametrize("text", ONLY_OLD)
def test_a_time_of_iso_8601_that_is_none_of_rfc_3339_is_of_the_old_version_alone(text: str) -> None:
    statement = changed(LEAST, ("timestamp", text))
    found = fault(statement, Version.V2)

    assert fault(statement, Version.V1) is None
    assert found is not None
    assert found.path == "timestamp"


@pytest.mark.parametrize("key", ["contextAgents", "contextGroups"])
def test_the_new_keys_of_a_context_are_of_the_new_version_alone(key: str) -> None:
    statement = changed(LEAST, ("context", {key: full(Version.V2)["context"][key]}))
    found = fault(statement, Version.V1)

    assert fault(statement, Version.V2) is None
    assert found is not None
    assert found.path == f"context.{key}"


@pytest.mark.parametrize("rule", WIDER_REFUSED)
def test_refused_in_the_wider_context(rule: str) -> None:
    path, context = WIDER_REFUSED[rule]
    found = fault(changed(LEAST, ("context", context)), Version.V2)

    assert found is not None
    assert found.path == f"context.{path}"


@pytest.mark.parametrize(("text", "is_new"), [("1.0", False), ("1.0.9", False), ("2.0", True), ("2.0.0", True)])
def test_the_version_that_a_statement_names_counts_whatever_its_file_is(text: str, is_new: bool) -> None:  # noqa: FBT001 - a table
    statement = {**LEAST, "version": text, "context": {"contextAgents": []}}

    for version in BOTH:
        assert (fault(statement, version) is None) is is_new


def test_what_is_missing_has_the_code_of_what_is_missing() -> None:
    missing, wrong = fault({**LEAST, "verb": {}}), fault({**LEAST, "verb": {"id": 1}})

    assert missing is not None
    assert wrong is not None
    assert (missing.code, wrong.code) == (Code.FIELD_REQUIRED, Code.FIELD_INVALID)
