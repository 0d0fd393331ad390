"""What goes wrong at Graph, on purpose."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
Area = Literal["users", "learning"]


class Faults(BaseModel):
    """Everything that is not as usual; as made without arguments, nothing is.

    Numbers count down as they strike. They strike calls: a request that comes alone, or an item of a batch.
    """

    model_config = ConfigDict(extra="forbid")

    area: Literal["any", "users", "learning"] = "any"
    """Where `throttle` and `fail` strike."""
    throttle: Count = 0
    """Calls that are answered with 429."""
    throttle_batches: Count = 0
    """Batches that are answered with 429 as a whole."""
    fail: Count = 0
    """Calls that are answered with `fail_status`, without being carried out."""
    fail_status: Literal[500, 502, 503, 504] = 503
    retry_after_seconds: Count | None = None
    """Header of those answers."""
    retry_after_minutes: Count | None = None
    """In the text of those answers; with neither, they do not say how long to wait."""
    fail_after_applying: Count = 0
    """Writes to Viva Learning that are carried out and then answered with 500."""
    reject_tokens: Count = 0
    """Requests that are answered with 401 whatever their token."""
    refuse_users: bool = False
    """The app lacks `User.Read.All`."""
    refuse_learning: bool = False
    """The app lacks the learning permissions."""
    no_service_plan: bool = False
    """The tenant lacks Viva Learning."""
    provider_disabled: bool = False
    course_activity_sync_off: bool = False
    """The provider's `isCourseActivitySyncEnabled` is false: contents can be kept, activities cannot."""
    upsert_body_without_id: bool = False
    upsert_replaces: bool = False
    """A content's omitted properties are cleared instead of kept: the service's page says both."""
    hidden_contents: Count = 0
    """Reads of contents that are answered with 404: accepted, but not yet visible."""
    empty_pages: Count = 0
    """Pages of users that come empty, with a link to go on."""
    max_lengths: dict[str, int] = Field(default_factory=dict)
    """Longest text by property, in characters."""
    offline: bool = False
    """Connections break without an answer."""

    def take(self, name: str) -> bool:
        """Tell whether the fault strikes now, and count it."""
        left: int = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return left > 0

    def strikes(self, area: Area) -> bool:
        """Tell whether `throttle` and `fail` are meant for this area."""
        return self.area in ("any", area)
