"""Reads the project's own templates as values: resources with their types, names and properties.

A reader for the Bicep that these templates are written in, not for all of Bicep; `az bicep build` in the workflow is
the judge of the language. Objects become dictionaries, arrays lists, plain text and numbers themselves; any other
expression stays as its text, as `Expression`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_RESOURCE = re.compile(r"^resource (\w+) '([\w./]+)@([\w-]+)'( existing)? = ", re.MULTILINE)
_OUTPUT = re.compile(r"^output (\w+) (\S+) = (.+)$", re.MULTILINE)
_LOOP = re.compile(r"\[\s*for (?:\((\w+), \w+\)|\w+) in ")
_CONDITION = re.compile(r"if \(")
_OPENING, _CLOSING = "([{", ")]}"


class Expression(str):
    """What is computed when the template is deployed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that a template makes, or many of them in a loop."""

    file: str
    symbol: str
    type: str
    version: str
    body: dict[str, Any]
    condition: str = ""

    @property
    def properties(self) -> dict[str, Any]:
        """Its properties; none where it has none."""
        found = self.body.get("properties", {})
        assert isinstance(found, dict)
        return found


def resources(file: Path) -> list[Resource]:
    """Return what a template makes, without what it only refers to.

    Raises:
        ValueError: the reader cannot read it; the message says where.
    """
    text = _without_comments(file.read_text("utf-8"))
    found = []
    for match in _RESOURCE.finditer(text):
        symbol, kind, version, is_existing = match.groups()
        if is_existing:
            continue
        reader = _Reader(text, match.end(), f"{file.name}, {symbol}")
        condition = reader.skip_to_body()
        found.append(Resource(file.name, symbol, kind, version, reader.object(), condition))
    if len(found) != len(re.findall(r"^resource (?!.* existing = )", text, re.MULTILINE)):
        raise ValueError(f"{file.name}: a resource has not been read")
    return found


def outputs(file: Path) -> dict[str, str]:
    """Return the outputs of a template by name, as expressions."""
    return {match[1]: match[3] for match in _OUTPUT.finditer(_without_comments(file.read_text("utf-8")))}


def walk(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value inside a value, with its path."""
    yield path, value
    if isinstance(value, dict):
        for name, each in value.items():
            yield from walk(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each, f"{path}[]")


class _Reader:
    """A place in a text, moving on."""

    def __init__(self, text: str, at: int, where: str) -> None:
        self._text = text
        self._at = at
        self._where = where

    def skip_to_body(self) -> str:
        """Go to the object of a resource, behind its loop and its condition; return the condition."""
        if loop := _LOOP.match(self._text, self._at):
            self._at = loop.end()
            self._expression(":")
            self._at += 1
            self._space()
        if condition := _CONDITION.match(self._text, self._at):
            begin = self._at = condition.end() - 1
            self._nested()
            text = self._text[begin + 1 : self._at - 1]
            self._space()
            return text
        return ""

    def object(self) -> dict[str, Any]:
        """Read an object."""
        self._take("{")
        found: dict[str, Any] = {}
        while not self._ends("}"):
            key = self._key()
            self._take(":")
            found[key] = self._value()
        return found

    def _value(self) -> Any:  # noqa: ANN401 - any value of a template
        self._space()
        begin = self._at
        if self._here() == "{":
            value: Any = self.object()
        elif self._here() == "[" and not _LOOP.match(self._text, self._at):
            value = self._array()
        else:
            return _plain(self._expression("\n,}]"))
        if self._rest_of_line().strip(" ,}]") == "":
            return value
        self._at = begin  # an expression that begins with a bracket
        return _plain(self._expression("\n,}]"))

    def _array(self) -> list[Any]:
        self._take("[")
        found = []
        while not self._ends("]"):
            found.append(self._value())
        return found

    def _key(self) -> str:
        self._space()
        match = re.compile(r"'([^']*)'|(\w+)").match(self._text, self._at)
        if match is None:
            raise self._error("a name was expected")
        self._at = match.end()
        return match[1] if match[1] is not None else match[2]

    def _expression(self, ends: str) -> str:
        """Read up to one of the signs, outside of brackets and texts; a line goes on behind `?` and `:`."""
        begin = self._at
        while self._at < len(self._text):
            sign = self._here()
            if sign == "'":
                self._string()
            elif sign in _OPENING:
                self._nested()
            elif sign in ends and not (sign == "\n" and self._goes_on()):
                return self._text[begin : self._at].strip()
            else:
                self._at += 1
        raise self._error("the template ends too early")

    def _goes_on(self) -> bool:
        return self._text[self._at :].lstrip()[:2] in ("? ", ": ")

    def _nested(self) -> None:
        depth = 0
        while True:
            sign = self._here()
            if sign == "'":
                self._string()
                continue
            depth += (sign in _OPENING) - (sign in _CLOSING)
            self._at += 1
            if depth == 0:
                return

    def _string(self) -> None:
        self._at += 1
        while self._here() != "'":
            if self._here() == "\\":
                self._at += 2
            elif self._text.startswith("${", self._at):
                self._at += 1
                self._nested()
            else:
                self._at += 1
        self._at += 1

    def _ends(self, sign: str) -> bool:
        self._space()
        if self._here() == ",":
            self._at += 1
            self._space()
        if self._here() != sign:
            return False
        self._at += 1
        return True

    def _take(self, sign: str) -> None:
        self._space()
        if self._here() != sign:
            raise self._error(f"{sign!r} was expected")
        self._at += 1

    def _space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _here(self) -> str:
        if self._at >= len(self._text):
            raise self._error("the template ends too early")
        return self._text[self._at]

    def _rest_of_line(self) -> str:
        return self._text[self._at :].partition("\n")[0]

    def _error(self, what: str) -> ValueError:
        line = self._text.count("\n", 0, self._at) + 1
        return ValueError(f"{self._where}: {what} in line {line}")


def _plain(text: str) -> Any:  # noqa: ANN401 - any value of a template
    if re.fullmatch(r"'(?:[^'\\$]|\\.|\$(?!\{))*'", text):
        return text[1:-1].replace("\\'", "'").replace("\\\\", "\\")
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return None if text == "null" else Expression(text)


def _without_comments(text: str) -> str:
    """Blank lines of comments out; there are none behind code."""
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
