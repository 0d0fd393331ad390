"""The security review against the templates as they are read: nothing is open, and no resource is without its row."""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep import Expression, Resource, resources
from tests.infra.template_names import INFRA
from tests.infra.weaknesses import rules_of, secret_outputs, weaknesses

REVIEW = (INFRA.parent / "docs" / "security-review.md").read_text("utf-8")
FILES = sorted(INFRA.rglob("*.bicep"))
FOUND = [each for file in FILES for each in resources(file)]
ROW = re.compile(r"^\| `(Microsoft\.[\w./]+)` \|(.+)\|$", re.MULTILINE)


def test_every_type_of_resource_has_a_row() -> None:
    """Who can reach it, with which right, and how that is logged."""
    rows = dict(ROW.findall(REVIEW))

    assert {each.type for each in FOUND} - rows.keys() == set()
    for kind, cells in rows.items():
        assert [len(cell.strip()) > 0 for cell in cells.split("|")] == [True] * 3, kind


def test_nothing_is_open() -> None:
    assert list(weaknesses(FOUND)) == []


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_no_output_gives_a_secret_away(file: Path) -> None:
    assert list(secret_outputs(file)) == []


def _opened() -> Iterator[tuple[str, Resource, str]]:
    """Yield every property that has to be as it is, with a resource in which it is not."""
    for found in FOUND:
        for path in rules_of(found):
            for what, value in (("gone", None), ("other", "something else")):
                body = deepcopy(found.body)
                place: dict[str, Any] = body["properties"]
                *parents, last = path.split(".")
                for each in parents:
                    place = place[each]
                if what == "gone":
                    del place[last]
                else:
                    place[last] = value
                yield f"{found.file}-{found.symbol}-{path}-{what}", replace(found, body=body), path


@pytest.mark.parametrize(("opened", "path"), [each[1:] for each in _opened()], ids=[each[0] for each in _opened()])
def test_whatever_is_opened_is_told(opened: Resource, path: str) -> None:
    assert any(path in told for told in weaknesses([opened]))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("output a string = listKeys(account.id, '2025-01-01').keys[0].value", "gives a secret away"),
        ("output storageKey string = name", "gives a secret away"),
        ("output a string = account.properties.primaryKey", "gives a secret away"),
    ],
)
def test_an_output_with_a_secret_is_told(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "a.bicep"
    file.write_text(f"{text}\n", "utf-8")

    assert [told in each for each in secret_outputs(file)] == [True]


def test_a_webhook_by_an_old_tls_is_told() -> None:
    (found,) = (each for each in FOUND if each.file == "event-subscription.bicep")
    body = deepcopy(found.body)
    body["properties"]["destination"]["properties"]["minimumTlsVersionAllowed"] = "1.1"

    assert len(list(weaknesses([replace(found, body=body)]))) == 2


def test_templates_are_read_as_values(tmp_path: Path) -> None:
    """The judge of the rest of these tests, at what the templates are written in."""
    file = tmp_path / "a.bicep"
    file.write_text(
        "param a string[]\n// a remark { [ '\n"
        "resource old 'Microsoft.X/old@2020-01-01' existing = {\n  name: 'old'\n}\n"
        "resource one 'Microsoft.X/ones@2020-01-01' = [\n  for (each, i) in a: if (empty(each)) {\n    parent: old\n"
        "    name: 'it''s'\n    properties: {\n      on: true\n      count: -3\n      text: 'a: {b} \\'c\\''\n"
        "      computed: 'x${each.b['c']}'\n      either: on\n        ? [1, 2]\n        : []\n"
        "      many: [for x in a: { on: x }]\n      list: ['a', { b: 1 }]\n"
        "      'odd-name': { c: null, d: f({ e: 1 }) }\n"
        "    }\n  }\n]\n".replace("it''s", "its"),
        "utf-8",
    )

    (read,) = resources(file)

    assert (read.symbol, read.type, read.version, read.condition) == (
        "one",
        "Microsoft.X/ones",
        "2020-01-01",
        "empty(each)",
    )
    assert read.body["name"] == "its"
    properties = read.properties
    assert isinstance(properties.pop("computed"), Expression)
    assert properties.pop("either").startswith("on")
    assert properties.pop("many") == "[for x in a: { on: x }]"
    assert properties == {
        "on": True,
        "count": -3,
        "text": "a: {b} 'c'",
        "list": ["a", {"b": 1}],
        "odd-name": {"c": None, "d": "f({ e: 1 })"},
    }


def test_a_template_that_ends_too_early_is_no_template(tmp_path: Path) -> None:
    file = tmp_path / "a.bicep"
    file.write_text("resource one 'Microsoft.X/ones@2020-01-01' = {\n  name: 'a'\n", "utf-8")

    with pytest.raises(ValueError, match=r"a\.bicep, one: the template ends too early"):
        resources(file)
