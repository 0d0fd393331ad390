"""xAPI statements: how many a minute are read, checked and made completions, beside the bare parsing of their JSON."""

import json
import time
from collections.abc import Callable

from shared.domain.write_back import Completion, StackOne, WriteBack
from shared.pipeline.intake_formats.read_records import read_records
from tests.bench.result import Statements

COUNT = 100_000
ADL = "http://adlnet.gov/expapi"


def measure(count: int = COUNT) -> Statements:
    """Read a list of statements, all valid and one in ten for somebody else, and parse the same bytes as they are."""
    records = [json.dumps(_statement(number)).encode() for number in range(1000)]
    text = b"[" + b",".join(records[number % len(records)] for number in range(count)) + b"]"
    settings = WriteBack(target=StackOne(account_id="acme"), provider_id="ACADEMY")
    for record in records[:100]:
        # What is built once is built before.
        list(read_records("warm.jsonl", _Bytes(record), settings))
    seconds, cpu_seconds, completions = _timed(
        lambda: sum(isinstance(each, Completion) for each in read_records("x.json", _Bytes(text), settings))
    )
    _, json_cpu_seconds, parsed = _timed(lambda: len(json.loads(text)))
    if (completions, parsed) != (count - -(-count // 10), count):
        raise AssertionError(f"{completions} completions of {parsed} statements")
    return Statements(
        count=count,
        text_bytes=len(text),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        json_cpu_seconds=json_cpu_seconds,
    )


class _Bytes:
    """Bytes that are read in pieces."""

    def __init__(self, whole: bytes) -> None:
        self._whole = memoryview(whole)

    def read(self, size: int, /) -> bytes:
        piece, self._whole = self._whole[:size], self._whole[size:]
        return bytes(piece)


def _timed(work: Callable[[], int]) -> tuple[float, float, int]:
    began, cpu_began = time.perf_counter(), time.process_time()
    done = work()
    return time.perf_counter() - began, time.process_time() - cpu_began, done


def _statement(number: int) -> dict[str, object]:
    """Make a statement as a course of a content provider sends it, with all that is usual."""
    passed = number % 3 > 0
    verb = "experienced" if number % 10 == 0 else "passed" if passed else "failed"
    return {
        "id": f"{number:08x}-1234-4678-9234-567812345678",
        "actor": {
            "objectType": "Agent",
            "name": f"Learner {number}",
            "account": {"homePage": "https://sso.example.com", "name": f"u-{number}"},
        },
        "verb": {"id": f"{ADL}/verbs/{verb}", "display": {"en-US": verb, "de-DE": verb}},
        "object": {
            "objectType": "Activity",
            "id": f"https://academy.example.com/courses/{number % 97}",
            "definition": {
                "type": f"{ADL}/activities/course",
                "name": {"en-US": "Fire safety in offices"},
                "description": {"en-US": "How fires begin, how they are put out, and how everybody gets outside."},
            },
        },
        "result": {
            "score": {"scaled": number % 100 / 100, "raw": number % 100, "min": 0, "max": 100},
            "success": passed,
            "completion": True,
            "duration": "PT1H12M30.5S",
        },
        "context": {
            "registration": f"{number:08x}-4321-4678-9234-567812345678",
            "platform": "Academy",
            "language": "en-US",
            "contextActivities": {"category": [{"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}]},
            "extensions": {"https://w3id.org/xapi/cmi5/context/extensions/sessionid": f"s-{number}"},
        },
        "timestamp": "2026-03-31T17:00:00.123Z",
        "stored": "2026-03-31T17:00:01.456Z",
        "authority": {"account": {"homePage": "https://lrs.example.com", "name": "academy"}},
        "version": "1.0.3",
    }


if __name__ == "__main__":
    print(measure().model_dump_json(indent=2))  # noqa: T201 - what it was called for
