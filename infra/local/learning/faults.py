"""What goes wrong at an LMS, on purpose."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
Area = Literal["token", "courses", "completions", "reads"]


class Faults(BaseModel):
    """Everything that is not as usual; as made without arguments, nothing is. Numbers count down as they strike."""

    model_config = ConfigDict(extra="forbid")

    area: Literal["any", "token", "courses", "completions", "reads"] = "any"
    """Where the faults strike that are not of one area by their nature."""
    throttle: Count = 0
    """Requests that are answered with 429."""
    retry_after: str | None = None
    """Header of those answers and of failures."""
    fail: Count = 0
    """Requests that are answered with `fail_status`, without being carried out."""
    fail_after_applying: Count = 0
    """Requests that are carried out and then answered with `fail_status`."""
    fail_status: int = 503
    cut: Count = 0
    """Requests whose connection breaks before anything is done."""
    cut_after_applying: Count = 0
    """Requests that are carried out, and whose connection breaks without an answer."""
    slow: Count = 0
    """Requests that are carried out at once and answered after `slow_seconds`."""
    slow_seconds: Annotated[float, Field(ge=0)] = 1
    unreadable: Count = 0
    """Requests that are carried out and answered with 200 and a page for people."""
    refuse_rows: Count = 0
    """Courses or completions that fail inside a success."""
    reject_tokens: Count = 0
    """Requests that are answered with 401, whatever they carry."""
    token_expires_in: int | None = None
    token_without: tuple[str, ...] = ()
    """Fields that answers of the token endpoint lack."""

    def take(self, name: str, area: Area) -> bool:
        """Tell whether the fault strikes now, and count it."""
        left: int = getattr(self, name)
        if not left or self.area not in ("any", area):
            return False
        setattr(self, name, left - 1)
        return True
