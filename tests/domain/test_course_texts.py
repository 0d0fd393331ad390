"""A course has a title for each locale that the LMS offers, or it is not sent."""

from typing import Any

import pytest

from shared.domain.course_texts import CourseText, read_texts
from shared.domain.errors import Code
from shared.domain.write_back import Course, Fate, Receipt, StackOne, WriteBack


def texts(titles: dict[str, str], descriptions: dict[str, str] | None = None, **settings: Any) -> Any:  # noqa: ANN401 - either
    course = Course(
        course_id="C-1", titles=titles, descriptions=descriptions or {}, launch_url="https://learn.example/c1"
    )
    write_back = WriteBack.model_validate(
        {"provider_id": "ACADEMY", "target": StackOne(account_id="1").model_dump(), **settings}
    )
    return read_texts(course, write_back)


def test_texts_come_by_name_and_the_wanted_ones_first() -> None:
    found = texts({"fr": "Négocier", "en-US": "Negotiating"}, {"French": "Comment"}, locales=["English"])

    assert found == [CourseText("English", "Negotiating", ""), CourseText("French", "Négocier", "Comment")]


@pytest.mark.parametrize("settings", [{"locales": ["English", "German"]}, {"locales": ["en", "de-DE"]}])
def test_a_wanted_locale_without_a_title_is_a_refusal(settings: dict[str, Any]) -> None:
    refused = texts({"en-GB": "Negotiating", "en": "Negotiating", "German": " "}, **settings)

    assert isinstance(refused, Receipt)
    assert (refused.fate, refused.code) == (Fate.REJECTED, Code.FIELD_REQUIRED)
    assert "German" in refused.reason


def test_a_fallback_stands_in_with_its_title_and_its_description() -> None:
    found = texts(
        {"English": "Negotiating"}, {"English": "How"}, locales=["English", "German"], fallback_locale="English"
    )

    assert found == [CourseText("English", "Negotiating", "How"), CourseText("German", "Negotiating", "How")]


def test_a_fallback_does_not_replace_what_is_there() -> None:
    found = texts(
        {"en": "Negotiating", "de": "Verhandeln"},
        {"en": "How", "de": "Wie"},
        locales=["German"],
        fallback_locale="English",
    )

    assert found[0] == CourseText("German", "Verhandeln", "Wie")


def test_a_fallback_that_has_no_text_either_is_no_help() -> None:
    refused = texts({"French": "Négocier"}, locales=["English"], fallback_locale="German")

    assert isinstance(refused, Receipt)
    assert refused.code is Code.FIELD_REQUIRED


@pytest.mark.parametrize(
    ("titles", "descriptions", "where"),
    [({"tlh": "ghoj"}, {}, "titles: 'tlh'"), ({"English": "Negotiating"}, {"tlh": "ghoj"}, "descriptions: 'tlh'")],
)
def test_a_locale_that_nobody_knows_is_a_refusal(
    titles: dict[str, str], descriptions: dict[str, str], where: str
) -> None:
    refused = texts(titles, descriptions)

    assert isinstance(refused, Receipt)
    assert (refused.fate, refused.code) == (Fate.REJECTED, Code.FIELD_INVALID)
    assert refused.reason.startswith(where)


def test_with_a_fallback_a_text_that_nobody_can_place_is_left_out() -> None:
    found = texts({"tlh": "ghoj", "English": "Negotiating"}, fallback_locale="English")

    assert found == [CourseText("English", "Negotiating", "")]


def test_a_locale_of_this_tenant_is_known_by_its_setting() -> None:
    found = texts({"Estonian": "Läbirääkimised"}, locales=["Estonian"])

    assert found == [CourseText("Estonian", "Läbirääkimised", "")]
