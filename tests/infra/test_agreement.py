"""The templates make what the code needs, and nothing else.

A name that only one side has would be found in Azure, by a run that fails there. Each name is also taken away from each
side in turn, in a copy of its text, to see that the comparison would notice.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache, partial
from pathlib import Path

import pytest

from tests.infra.app_names import app_names
from tests.infra.code_names import Sources, code_names, read_sources
from tests.infra.names import Names, differences
from tests.infra.removals import Removal, removals
from tests.infra.template_names import INFRA, ROLE, SETTING, name_lists, role_table, settings, template_names

FIELDS = [each.name for each in fields(Names)]


@cache
def of_the_app() -> Names:
    return app_names()


def test_templates_and_app_agree() -> None:
    """If it fails at a merge: every line says what to add to which file, or what to remove from it."""
    found = list(differences(of_the_app(), template_names()))

    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("field", FIELDS)
def test_both_sides_are_read(field: str) -> None:
    """An empty side would agree with an empty one."""
    assert getattr(of_the_app(), field)
    assert getattr(template_names(), field)


def test_the_text_of_the_code_says_what_the_running_app_says() -> None:
    """Two readers that know nothing of each other; the one of the text is asked below about texts that never run.

    If it fails at a merge: the code has a new way to name something, and `code_names` has to learn to read it.
    """
    text, app = code_names(_sources()), of_the_app()

    differing = {field: sorted(getattr(text, field) ^ getattr(app, field)) for field in FIELDS}
    assert not any(differing.values()), differing


@cache
def _sources() -> Sources:
    return read_sources()


@cache
def _from_the_code() -> list[Removal]:
    return list(removals(code_names(_sources()), _sources()))


def _assert_told(removal: Removal) -> None:
    told = list(differences(code_names(removal.apply(_sources())), template_names()))

    assert any(repr(removal.name) in each and "remove it from infra/" in each for each in told), (str(removal), told)
    assert not [each for each in told if "add it to infra/" in each]


@pytest.mark.parametrize("field", FIELDS)
def test_what_the_code_stops_to_use_is_told(field: str) -> None:
    """One of each kind here; all of them among the slow tests."""
    names = getattr(of_the_app(), field)
    removed = [each for each in _from_the_code() if each.name in names]
    _assert_told(removed[len(removed) // 2])


@pytest.mark.slow
def test_whatever_the_code_stops_to_use_is_told() -> None:
    for removal in _from_the_code():
        _assert_told(removal)
    assert {each.name for each in _from_the_code()} == {
        name for field in FIELDS for name in getattr(of_the_app(), field)
    }


def _removals() -> Iterator[tuple[str, str, Callable[[str], str]]]:
    """Yield the name that a change takes away, the file that it changes, and the change of its text."""
    for kind in ("containers", "queues", "tables"):
        for index, entry in enumerate(name_lists()[kind]):
            yield entry["name"] if isinstance(entry, dict) else entry, "names.json", partial(_cut_entry, kind, index)
    for index, entry in enumerate(name_lists()["triggers"]):
        yield f"{entry['function']} {entry['container']}", "names.json", partial(_cut_entry, "triggers", index)
    for name in settings():
        yield name, "modules/settings.bicep", partial(_cut_row, SETTING, "name", name)
    for row in role_table("appRoles"):
        yield row["role"], "modules/roles.bicep", partial(_cut_row, ROLE, "role", row["role"])


def _cut_entry(kind: str, index: int, text: str) -> str:
    lists = json.loads(text)
    del lists[kind][index]
    return json.dumps(lists)


def _cut_row(pattern: re.Pattern[str], group: str, name: str, text: str) -> str:
    row = next(each for each in pattern.finditer(text) if each[group] == name)
    return text[: row.start()] + text[row.end() + 1 :]


@pytest.mark.parametrize(("name", "file", "change"), list(_removals()), ids=[each[0] for each in _removals()])
def test_what_a_template_stops_to_make_is_told(
    name: str, file: str, change: Callable[[str], str], tmp_path: Path
) -> None:
    for part in ("names.json", "modules/settings.bicep", "modules/roles.bicep"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        shutil.copy(INFRA / part, tmp_path / part)
    text = (INFRA / file).read_text("utf-8")
    (tmp_path / file).write_text(change(text), "utf-8")

    (told,) = differences(of_the_app(), template_names(tmp_path))

    assert repr(name) in told
    assert "add it to infra/" in told
