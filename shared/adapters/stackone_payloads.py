"""How courses and completions look on the wire of StackOne's unified interface: pure translation.

StackOne has words of its own (`value`) for what systems name differently, and takes the system's word where none of
its own is given (`source_value`). SuccessFactors' locales are such words: names, as in `English`. The result of a
completion is written in both ways, `Pass` as StackOne spells it and `pass` as its guide for SuccessFactors does.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from shared.domain.course_texts import CourseText
from shared.domain.write_back import Completion, Course


def content_payload(course: Course, texts: Sequence[CourseText]) -> dict[str, Any]:
    """Write one of the `items`; the first text stands for the course as a whole."""
    return _without_empty(
        {
            "external_reference": course.course_id,
            "title": texts[0].title,
            "description": texts[0].description,
            "languages": [_language(text) for text in texts],
            "localizations": [
                _without_empty({"title": text.title, "description": text.description, "language": _language(text)})
                for text in texts
            ],
            "content_url": course.launch_url,
            "mobile_launch_content_url": course.mobile_launch_url,
            "cover_url": course.thumbnail_url,
            "active": course.active,
            "duration": course.duration,
        }
    )


def completion_payload(completion: Completion) -> dict[str, Any]:
    """Write the body of one completion; whose it is stands in the path.

    StackOne has no place for a grade, for other hours than those spent, and for comments.
    """
    completed_at = completion.completed_at.astimezone(UTC).isoformat(timespec="milliseconds")
    result = "Pass" if completion.passed else "Fail"
    return _without_empty(
        {
            "learning_object_external_reference": completion.course_id,
            "completed_at": completed_at.replace("+00:00", "Z"),
            "result": {"value": result, "source_value": result.lower()},
            "time_spent": None if completion.total_hours is None else _duration(completion.total_hours),
        }
    )


def _duration(hours: float) -> str:
    """Write hours as an ISO 8601 duration."""
    minutes, seconds = divmod(round(hours * 3600), 60)
    return f"PT{minutes // 60}H{minutes % 60}M{seconds}S"


def _language(text: CourseText) -> dict[str, str]:
    return {"source_value": text.locale}


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
