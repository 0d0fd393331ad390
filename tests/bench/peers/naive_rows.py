"""The rows of a package, by the rules of the connector: one pydantic model each."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated

import pydantic

PERSON_ID_LIMIT = 16


def read_time(text: str) -> datetime | None:
    """Read `YYYY-MM-DD HH:MM:SS`, ISO 8601, epoch milliseconds, or a date alone; without an offset it is in UTC."""
    if not (text := text.strip()):
        return None
    if re.fullmatch(r"-?\d{9,}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if not re.match(r"\d{4}-\d\d-\d\d([ T]\d|$)", text):
        raise ValueError("not a time")
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_deadline(text: str) -> datetime | None:
    """Read a time; a date alone ends with its day."""
    moment = read_time(text)
    if moment is not None and ":" not in text and "-" in text:
        return moment.replace(hour=23, minute=59, second=59)
    return moment


def read_person(text: str) -> str:
    """Normalise a person's id; refuse what the directory cannot hold."""
    text = unicodedata.normalize("NFC", text.strip())
    if not 0 < len(text) <= PERSON_ID_LIMIT:
        raise ValueError("empty or too long")
    return text.casefold()


Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True)]
Key = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]
Minutes = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, pattern=r"^\d*$")]
Person = Annotated[str, pydantic.BeforeValidator(read_person)]
Time = Annotated[datetime, pydantic.BeforeValidator(read_time)]
Moment = Annotated[datetime | None, pydantic.BeforeValidator(read_time)]
Deadline = Annotated[datetime | None, pydantic.BeforeValidator(read_deadline)]


class Student(pydantic.BaseModel):
    """A row of PV_PARTNER_STUDENT."""

    STUD_ID: Key
    PERSON_ID_EXTERNAL: Person
    NOTACTIVE: Text
    LST_UPD_TSTMP: Moment


class Revision(pydantic.BaseModel):
    """A row of PA_CPNT."""

    CPNT_TYP_ID: Key
    CPNT_ID: Key
    REV_DTE: Time
    CPNT_TITLE: Text
    CPNT_DESC: Text
    CPNT_LEN: Minutes
    THUMBNAIL_URI: Text
    CREATE_DTE: Moment
    NOTACTIVE: Text
    LST_UPD_TSTMP: Moment


class Label(pydantic.BaseModel):
    """A row of PV_I18N_ACTIVE_LOCALE_LABEL."""

    LABEL_ID: Key
    LOCALE_ID: Key
    LABEL_VALUE: Text


class Requirement(pydantic.BaseModel):
    """A row of PA_RQMT_TYPE."""

    RTYP_ID: Key
    REQUIRED: Text


class Status(pydantic.BaseModel):
    """A row of PA_CMPL_STAT."""

    CMPL_STAT_ID: Key
    CPNT_TYP_ID: Text
    PROVIDE_CRDT: Text


class Library(pydantic.BaseModel):
    """A row of PA_CATALOG."""

    CATALOG_ID: Key
    ACTIVE: Text


class Shelved(pydantic.BaseModel):
    """A row of PA_CATALOG_ITEM."""

    CATALOG_ID: Key
    CPNT_TYP_ID: Key
    CPNT_ID: Key
    REV_DTE: Key


class Assignment(pydantic.BaseModel):
    """A row of PA_STUD_CPNT."""

    STUD_ID: Key
    CPNT_TYP_ID: Key
    CPNT_ID: Key
    REV_DTE: Key
    SEQ_NUM: Key
    ASSGN_DTE: Moment
    REQ_DTE: Deadline
    RTYP_ID: Text
    ASSGN_USER: Text
    LST_UPD_TSTMP: Moment


class Completion(pydantic.BaseModel):
    """A row of PA_CPNT_EVTHST."""

    STUD_ID: Key
    CPNT_TYP_ID: Key
    CPNT_ID: Key
    REV_DTE: Key
    COMPL_DTE: Time
    CMPL_STAT_ID: Key
    SCHD_ID: Text
    LST_UPD_TSTMP: Moment
