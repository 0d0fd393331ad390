"""Names of locales: the learning interface of SuccessFactors knows `English`, not `en-US`."""

from collections.abc import Collection, Mapping

LOCALE_NAMES: Mapping[str, str] = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "en-ca": "English Canadian",
    "en-gb": "English United Kingdom",
    "es": "Spanish",
    "es-mx": "Spanish Mexican",
    "fi": "Finnish",
    "fr": "French",
    "fr-ca": "French Canadian",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "ms": "Malay",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-br": "Brazilian Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
    "zh-hk": "Chinese Hong Kong",
    "zh-tw": "Chinese Taiwan",
}
"""Locale name by language tag, in lower case. A language stands for all of its regions that have no name of their own.

A tenant may have locales with other names: they are known once `write_back` names them.
"""

_OTHER_TAGS = {"in": "id", "iw": "he", "nb": "no", "nn": "no", "zh-hant": "zh-tw"}


def find_locale_name(given: str, more: Collection[str] = ()) -> str | None:
    """Return the name of a locale given by name or language tag, in any case; `None` when nobody knows it.

    `more` are names that this tenant has besides those of every tenant.
    """
    names = {name.lower(): name for name in (*LOCALE_NAMES.values(), *more)}
    wanted = given.strip().lower()
    if wanted in names:
        return names[wanted]
    subtags = wanted.replace("_", "-").split("-")
    for tag in (f"{subtags[0]}-{subtags[-1]}", "-".join(subtags[:2]), subtags[0]):
        name = LOCALE_NAMES.get(_OTHER_TAGS.get(tag, tag))
        if name is not None:
            return name
    return None
