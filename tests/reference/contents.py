"""What of the catalog is shown."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.contract import (
    ITEMS,
    LABELS,
    LIBRARIES,
    LIBRARY_ITEMS,
    ContentFact,
    Item,
    Row,
    Tables,
)
from tests.reference.reading import read_time

LANGUAGE_TAGS: Mapping[str, str] = {"English": "en-us", "German": "de-de", "French": "fr-fr"}
"""Tags of locale names; a name that is not here takes the connection's tag."""


def item_of(row: Row) -> Item:
    """The item a row speaks of."""
    return Item(row["CPNT_TYP_ID"], row["CPNT_ID"])


def find_speakers(tables: Tables, zone: ZoneInfo) -> dict[Item, Row]:
    """Find the row that speaks for each item: its latest active revision, else its latest."""
    speakers: dict[Item, Row] = {}
    rows = sorted(
        tables.get(ITEMS, {}).values(),
        key=lambda row: (row["NOTACTIVE"] != "Y", read_time(row["REV_DTE"], zone)),
    )
    for row in rows:
        speakers[item_of(row)] = row
    return speakers


def choose_text(value: str, tables: Tables, locale: str) -> tuple[str, str | None]:
    """Give the text and the name of its locale.

    A value that is no label id is text. Of a label: the connection's locale, then `English`, then the
    first by name; an empty label is missing.
    """
    label = {name: row["LABEL_VALUE"] for (id_, name), row in tables.get(LABELS, {}).items() if id_ == value}
    if not label:
        return value, None
    for name in (locale, "English", *sorted(label)):
        if label.get(name):
            return label[name], name
    return "", None


def is_in_a_library(item: Item, tables: Tables, *, libraries_came: bool) -> bool:
    """Tell whether the item is in an active library, by item and not by revision.

    The rule counts once any package brought rows of libraries; without the table of their items it is off.
    """
    if not libraries_came or LIBRARY_ITEMS not in tables:
        return True
    active = {key[0] for key, row in tables[LIBRARIES].items() if row["ACTIVE"] == "Y"}
    return any(item_of(row) == item and row["CATALOG_ID"] in active for row in tables[LIBRARY_ITEMS].values())


def describe(row: Row, tables: Tables, settings: Mapping[str, Any]) -> ContentFact:
    """Say what an active item shows; an item without a title shows its id; the length is in minutes."""
    zone = ZoneInfo(settings["source_time_zone"])
    title, locale = choose_text(row["CPNT_TITLE"], tables, settings["locale"])
    description, _ = choose_text(row["CPNT_DESC"], tables, settings["locale"])
    return ContentFact(
        item=item_of(row),
        is_active=True,
        title=title or row["CPNT_ID"],
        description=description,
        language_tag=LANGUAGE_TAGS.get(locale or "", settings["language_tag"]),
        duration_seconds=int(row["CPNT_LEN"]) * 60 if row["CPNT_LEN"] else None,
        thumbnail=row["THUMBNAIL_URI"] or settings["default_thumbnail_url"] or "",
        revision=read_time(row["REV_DTE"], zone),
        modified=read_time(row["LST_UPD_TSTMP"], zone) if row["LST_UPD_TSTMP"] else None,
    )


def plan_contents(
    tables: Tables,
    published: Mapping[Item, ContentFact],
    settings: Mapping[str, Any],
    *,
    libraries_came: bool,
) -> dict[Item, ContentFact]:
    """Say what Viva shows of the catalog.

    An item that is inactive, gone, or in no active library stays as it was, switched off, if it was published
    before; else it is not published. Content is never deleted.
    """
    speakers = find_speakers(tables, ZoneInfo(settings["source_time_zone"]))
    contents = {item: fact._replace(is_active=False) for item, fact in published.items()}
    for item, row in speakers.items():
        if row["NOTACTIVE"] != "Y" and is_in_a_library(item, tables, libraries_came=libraries_came):
            contents[item] = describe(row, tables, settings)
    return contents
