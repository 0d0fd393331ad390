"""The texts of a course as the LMS wants them: one title for each of its locales, under the locale's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.errors import Code
from shared.domain.locale_names import find_locale_name
from shared.domain.write_back import Course, Fate, Receipt, WriteBack


@dataclass(frozen=True, slots=True)
class CourseText:
    """Title and description in one locale."""

    locale: str
    title: str
    description: str
    """Empty when there is none."""


def read_texts(course: Course, write_back: WriteBack) -> Sequence[CourseText] | Receipt:
    """Return the course's texts, those of `write_back.locales` first; or why the course cannot be sent.

    A locale of `write_back.locales` without a title takes the texts of the fallback locale, if there is one.
    With a fallback, a text whose locale nobody knows is left out.
    """
    fallback = write_back.fallback_locale
    named = (*write_back.locales, *((fallback,) if fallback else ()))
    known = [locale for locale in named if find_locale_name(locale) is None]
    titles, unknown = _by_name(course.titles, known)
    descriptions, unknown_too = _by_name(course.descriptions, known)
    if not fallback and (unknown or unknown_too):
        where, locale = ("titles", unknown[0]) if unknown else ("descriptions", unknown_too[0])
        return _refused(
            Code.FIELD_INVALID,
            f"{where}: {locale!r} is no locale that is known here; give its name as in `write_back.locales`.",
        )
    spare = find_locale_name(fallback, known) if fallback else None
    for locale in write_back.locales:
        name = find_locale_name(locale, known) or locale
        stand_in = name if name in titles else spare
        if stand_in not in titles:
            return _refused(Code.FIELD_REQUIRED, f"titles: there is none in {name}, nor one that may stand in for it.")
        titles[name] = titles[stand_in]
        if name not in descriptions and spare in descriptions:
            descriptions[name] = descriptions[spare]
    first = [find_locale_name(locale, known) or locale for locale in write_back.locales]
    order = dict.fromkeys((*first, *titles))
    return [CourseText(name, titles[name], descriptions.get(name, "")) for name in order]


def _by_name(texts: Mapping[str, str], more: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Sort texts by the names of their locales, and those out whose locale nobody knows; empty ones are none."""
    named: dict[str, str] = {}
    unknown: list[str] = []
    for locale, text in texts.items():
        name = find_locale_name(locale, more)
        if name is None:
            unknown.append(locale)
        elif text.strip():
            named[name] = text.strip()
    return named, unknown


def _refused(code: Code, reason: str) -> Receipt:
    return Receipt(fate=Fate.REJECTED, code=code, reason=reason)
