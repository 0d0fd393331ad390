"""What a valid xAPI statement says about a completion, by the settings of the connection."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from shared.domain.errors import Code
from shared.domain.faults import Fault, first_fault
from shared.domain.record_files import Statements
from shared.domain.write_back import Completion
from shared.domain.xapi.statement import VOIDED, ScoreShape, Statement, read_statement
from shared.domain.xapi.values import FORMATS, TAG
from shared.domain.xapi.vocabulary import KEYS
from shared.pipeline.intake_formats.findings import Ignored

_COMPLETED, _PASSED, _FAILED = "completed", "passed", "failed"


class _FaultError(Exception):
    """A valid statement of which no completion can be made."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class StatementReader:
    """Makes completions of the statements of one file."""

    def __init__(self, settings: Statements) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.time_zone)
        self._pattern = re.compile(settings.course_pattern) if settings.course_pattern else None
        self._meanings = {
            **dict.fromkeys(settings.completed_verbs, _COMPLETED),
            **dict.fromkeys(settings.passed_verbs, _PASSED),
            **dict.fromkeys(settings.failed_verbs, _FAILED),
        }
        self._voided: set[str] = set()

    def read(self, value: object) -> Completion | Ignored | Fault:
        """Return what a JSON value says: a completion, nothing for us, or nothing that follows the specification."""
        try:
            statement = read_statement(value, self._settings.version)
        except ValidationError as e:
            return first_fault(e, KEYS, FORMATS, TAG)
        try:
            return self._ignored(statement) or self._completion(statement)
        except _FaultError as e:
            return e.fault

    def _ignored(self, statement: Statement) -> Ignored | None:
        verb, about = statement["verb"]["id"], statement["object"]
        if verb == VOIDED:
            self._voided.add(about["id"].lower())
            raise _fault(
                "verb.id",
                "takes another statement back. Of what has been sent already nothing is taken back: if that was a "
                "completion, correct the learner's history in the LMS.",
            )
        meaning = self._meanings.get(verb)
        if meaning is None:
            return Ignored.OTHER_VERB
        if about.get("objectType", "Activity") != "Activity":
            return Ignored.OTHER_OBJECT
        if self._voided and statement.get("id", "").lower() in self._voided:
            return Ignored.VOIDED
        if meaning == _COMPLETED and statement.get("result", {}).get("completion") is False:
            return Ignored.NOT_COMPLETED
        return None

    def _completion(self, statement: Statement) -> Completion | Fault:
        result = statement.get("result", {})
        meaning = self._meanings[statement["verb"]["id"]]
        path, learner = self._learner(statement["actor"])
        try:
            return Completion(
                learner=learner,
                course_id=self._course(statement["object"]["id"]),
                completed_at=self._time(statement),
                passed=meaning == _PASSED or (meaning == _COMPLETED and result.get("success", True)),
                completion_id=statement.get("id"),
                grade=self._grade(result.get("score")),
                total_hours=result.get("duration"),
            )
        except ValidationError as e:
            fault = first_fault(e, Completion.model_fields, {})
            sources = {
                "learner": path,
                "course_id": "object.id",
                "grade": "result.score",
                "total_hours": "result.duration",
            }
            return Fault(sources.get(fault.path, fault.path), fault.code, fault.message)

    def _learner(self, actor: Mapping[str, object]) -> tuple[str, str]:
        """Return where a person's id stands, and the id."""
        if actor.get("objectType") == "Group":
            raise _fault("actor.objectType", "is a group; a completion is about one person.")
        account, mbox, wanted = actor.get("account"), actor.get("mbox"), self._settings.learner
        if isinstance(account, dict) and wanted != "mbox":
            page = self._settings.account_home_page
            if page is not None and account["homePage"] != page:
                raise _fault(
                    "actor.account.homePage",
                    "is another one than `write_back.statements.account_home_page`: the account is not of this LMS.",
                )
            return "actor.account.name", account["name"]
        if isinstance(mbox, str) and wanted != "account":
            return "actor.mbox", mbox.removeprefix("mailto:")
        raise _fault(
            "actor",
            "names the person in another way than `write_back.statements.learner` asks for.",
        )

    def _course(self, object_id: str) -> str:
        if self._pattern is not None:
            found = self._pattern.search(object_id)
            if found is None or not found[1]:
                raise _fault("object.id", "holds nothing that `write_back.statements.course_pattern` finds.")
            return found[1]
        if self._settings.course == "verbatim":
            return object_id
        return unquote(re.split(r"[?#]", object_id)[0].rstrip("/").rpartition("/")[2])

    def _time(self, statement: Statement) -> datetime:
        for name in ("timestamp", "stored"):
            time = statement.get(name)
            if isinstance(time, datetime):
                aware = time if time.tzinfo else time.replace(tzinfo=self._zone)
                try:
                    return aware.astimezone(UTC)
                except OverflowError:
                    raise _fault(name, "is a time that no calendar has.") from None
        raise _fault("timestamp", "is missing, so that nobody knows when it was.", Code.FIELD_REQUIRED)

    def _grade(self, score: ScoreShape | None) -> str | None:
        wanted = self._settings.grade
        if score is None or wanted == "none":
            return None
        number = score.get("raw") if wanted == "raw" else score.get("scaled")
        if number is None:
            return None
        return f"{number * 100 if wanted == 'percent' else number:.10g}"


def _fault(path: str, message: str, code: Code = Code.FIELD_INVALID) -> _FaultError:
    return _FaultError(Fault(path, code, message))
