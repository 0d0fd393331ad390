"""`content/batch`: takes courses for SuccessFactors' Open Content Network, creating or replacing by external reference.

The answer has a list of errors for each item. That it is in the order of the items, and empty for those that were
taken, is how it is read here: the reference shows its shape only.
"""

from collections.abc import Callable, Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.local.learning.lms import Lms
from infra.local.learning.web import Answer
from infra.local.stackone.answers import refuse, said

MOST_ITEMS = 1000
UNMAPPED = "unmapped_value"

Text = Annotated[str, Field(min_length=1)]


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Language(_Shape):
    value: Text | None = None
    source_value: Text | None = None

    @property
    def name(self) -> str:
        """What SuccessFactors is told; a language tag in its place is no locale there."""
        chosen = self.source_value if self.value in (None, UNMAPPED) else self.value
        return chosen or ""


class _Localization(_Shape):
    title: Text
    description: Text | None = None
    language: _Language


class _Item(_Shape):
    external_reference: Text
    title: Text
    description: Text | None = None
    languages: Annotated[list[_Language], Field(min_length=1)]
    localizations: list[_Localization] = []
    content_url: Annotated[str, Field(pattern=r"^https://")]
    mobile_launch_content_url: Annotated[str, Field(pattern=r"^https://")] | None = None
    cover_url: Annotated[str, Field(pattern=r"^https://")] | None = None
    active: bool = True
    duration: Annotated[str, Field(pattern=r"^P")] | None = None


class _Batch(_Shape):
    items: Annotated[list[_Item], Field(min_length=1, max_length=MOST_ITEMS)]


class Content:
    """Keeps the courses of the account's provider."""

    def __init__(self, lms: Lms, *, locales: Collection[str], refuse_row: Callable[[], bool]) -> None:
        self._lms = lms
        self._locales = locales
        self._refuse_row = refuse_row

    def answer(self, body: object) -> Answer:
        """Take the items that can be taken, in their order: of two with one reference the second wins."""
        try:
            items = _Batch.model_validate(body).items
        except ValidationError as wrong:
            first = wrong.errors()[0]
            raise refuse(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        return said(202, "Batch request accepted", errors=[self._take(each) for each in items])

    def _take(self, item: _Item) -> list[str]:
        if self._refuse_row():
            return [f"{item.external_reference}: the content could not be saved"]
        names = {language.name for language in (*item.languages, *(each.language for each in item.localizations))}
        unknown = names - set(self._locales)
        if unknown:
            return [f"{item.external_reference}: {min(unknown)!r} is no locale of the account"]
        self._lms.put_course(
            item.external_reference, item.title, item.model_dump(exclude_none=True), active=item.active
        )
        return []
