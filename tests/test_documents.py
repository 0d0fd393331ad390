"""The documents against the code: what can be generated is generated, and what can be checked is checked."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeGuard, get_args
from urllib.parse import unquote

import pytest
from pydantic import BaseModel

from shared.cli.app import app
from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.domain.runs import Outcome
from shared.domain.write_back import Pace
from shared.settings import Settings
from tests import documents
from tests.documents import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [path.relative_to(ROOT).as_posix() for path in documents.documents()]
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_generated_is_up_to_date(name: str) -> None:
    """If this fails: `make docs`."""
    text = (ROOT / name).read_text(encoding="utf-8")

    assert text == documents.rendered(text)


def test_the_schema_of_a_connection_is_up_to_date() -> None:
    """If this fails: `make docs`."""
    assert documents.SCHEMA.read_text(encoding="utf-8") == documents.connection_schema()


def test_a_part_that_nobody_generates_is_refused() -> None:
    with pytest.raises(KeyError, match="no-such-part"):
        documents.rendered("<!-- generated: no-such-part -->\n<!-- end of no-such-part -->")


def test_a_part_keeps_the_words_around_it() -> None:
    text = "before\n\n<!-- generated: codes-halted -->\nold\n\n<!-- end of codes-halted -->\n\nafter\n"

    written = documents.rendered(text)

    assert (written.startswith("before\n"), written.endswith("\nafter\n")) == (True, True)
    assert ("old" in written, Code.MASS_CHANGE in written) == (False, True)


@pytest.mark.parametrize("name", ["README.md", "docs/connection.md"])
def test_every_setting_is_listed_and_no_other(name: str) -> None:
    """A setting nobody can find is a setting nobody sets."""
    listed = first_cells((ROOT / name).read_text(encoding="utf-8"), "Setting")
    of_the_host = {"AzureWebJobsStorage__accountName", "COLLECT_SCHEDULE", "SWEEP_SCHEDULE"}
    known = {f"LMS_{field.upper()}" for field in Settings.model_fields} | set(settings_of(Connection))

    assert listed - of_the_host == known


def test_the_settings_of_the_host_are_those_that_the_app_names() -> None:
    bound = {
        setting
        for file in (ROOT / "functions").glob("*.py")
        for setting in re.findall(r'"%(\w+)%"', file.read_text(encoding="utf-8"))
    }

    assert bound == {"COLLECT_SCHEDULE", "SWEEP_SCHEDULE"}
    assert bound < first_cells(README, "Setting")


def test_every_code_is_explained_once() -> None:
    """An admin who meets a code finds what to do about it."""
    listed = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(listed) == sorted(Code)
    assert list(EXPLANATIONS) == list(Code)


@pytest.mark.parametrize("code", Code)
def test_an_explanation_is_whole_sentences(code: Code) -> None:
    explained = EXPLANATIONS[code]

    assert explained.ends_as in (Outcome.FAILED, Outcome.REJECTED, Outcome.HALTED, Outcome.PARTIAL)
    for text in (explained.what, explained.mend):
        assert re.fullmatch(r"[A-Z][^|\n]*\.", text)


def test_explanations_name_settings_that_exist() -> None:
    """A renamed setting would leave its old name in the advice."""
    told = {
        word
        for each in EXPLANATIONS.values()
        for word in re.findall(r"`([a-z]+(?:[._][a-z_]+)+|LMS_[A-Z_]+)`", f"{each.what} {each.mend}")
    }

    assert told <= {*settings_of(Connection), *(f"LMS_{field.upper()}" for field in Settings.model_fields)}


def test_the_sample_connection_is_one() -> None:
    found = re.search(r"<!-- sample connection -->\n```json\n(.*?)```", README, re.DOTALL)

    assert found
    assert Connection.model_validate_json(found[1]).enabled


def test_the_readme_and_the_guides_name_the_commands_of_lms_as_they_are() -> None:
    """And the README names every one of them."""
    lms = {each.name for each in app.registered_commands} | {each.name for each in app.registered_groups}
    guides = [(ROOT / name).read_text("utf-8") for name in DOCUMENTS if name.startswith("docs/cli/")]
    named = {word for text in (README, *guides) for word in re.findall(r"`lms ([a-z-]+)", text)}

    assert guides
    assert named == lms
    assert set(re.findall(r"`lms ([a-z-]+)", README)) == named


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if "```json" in (ROOT / name).read_text("utf-8")])
def test_json_in_the_documents_is_json(name: str) -> None:
    for block in re.findall(
        r"^```json\n(.*?)^```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        json.loads(block)


def test_the_readme_lists_every_verb_of_make() -> None:
    verbs = set(re.findall(r"^([a-z]+):.*?## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert {f"make {verb}" for verb in verbs - {"help"}} | {"make"} == first_cells(README, "Verb")


def test_the_readme_lists_every_function() -> None:
    functions = {file.stem for file in (ROOT / "functions").glob("[!_]*.py")}

    assert first_cells(README, "Function") == functions


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    files = sorted(file.name for file in folder.glob("[0-9]*.md"))
    listed = re.findall(r"^\d+\. \[.*\]\((.*)\)$", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    assert listed == files


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """To files of this project, and to headings in them; nobody is asked outside."""
    document = ROOT / name
    lost = [link for link in links(document) if not leads_somewhere(document, link)]

    assert lost == []


def links(document: Path) -> Iterator[str]:
    for link in _LINK.findall(_FENCED.sub("", document.read_text(encoding="utf-8"))):
        if not link.startswith(("https://", "http://")):
            yield link


def leads_somewhere(document: Path, link: str) -> bool:
    path, _, heading = unquote(link).partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not heading or heading in anchors(target)


def anchors(document: Path) -> set[str]:
    """Return the headings as GitHub writes them behind a `#`."""
    headings = _HEADING.findall(_FENCED.sub("", document.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def first_cells(text: str, column: Literal["Setting", "Verb", "Function"]) -> set[str]:
    """Return what stands in backticks first in the rows of every table whose first column is that."""
    cells: set[str] = set()
    for table in re.findall(rf"^\| {column} \|.*\n((?:\|.*\n)+)", text, re.MULTILINE):
        cells.update(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))
    return cells


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the names of all settings, those of parts with a dot."""
    for name, field in model.model_fields.items():
        parts = [part for part in (get_args(field.annotation) or (field.annotation,)) if _is_table(part)]
        for part in parts:
            yield from settings_of(part, f"{prefix}{name}.")
        if not parts:
            yield f"{prefix}{name}"


def _is_table(part: object) -> TypeGuard[type[BaseModel]]:
    """Tell whether a setting has settings of its own that stand in a table of their own."""
    return isinstance(part, type) and issubclass(part, BaseModel) and part is not Pace
