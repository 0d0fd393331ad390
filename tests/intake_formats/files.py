"""Reads a file as the connector does, and sorts what comes out of it."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.write_back import Completion, Course, Refusal, StackOne, WriteBack
from shared.pipeline.intake_formats.findings import Ignored
from shared.pipeline.intake_formats.read_records import read_records


@dataclass(frozen=True)
class Outcome:
    completions: list[Completion]
    courses: list[Course]
    refusals: list[Refusal]
    ignored: Mapping[Ignored, int]

    @property
    def faults(self) -> list[tuple[int | None, str, str]]:
        return [(each.line, each.path, each.code.rpartition("ERROR_")[2]) for each in self.refusals]


def settings(**given: Any) -> WriteBack:  # noqa: ANN401 - as JSON
    target = StackOne(account_id="a").model_dump()
    return WriteBack.model_validate({"target": target, "provider_id": "p", **given})


def read(name: str, body: str | bytes, **given: Any) -> Outcome:  # noqa: ANN401 - as JSON
    records = read_records(name, io.BytesIO(body.encode() if isinstance(body, str) else body), settings(**given))
    found = list(records)
    return Outcome(
        [each for each in found if isinstance(each, Completion)],
        [each for each in found if isinstance(each, Course)],
        [each for each in found if isinstance(each, Refusal)],
        records.ignored,
    )


def by_line(*values: object) -> str:
    return "".join(json.dumps(each) + "\n" for each in values)
