"""The figures of a run, as they are kept: `result.json`, and `docs/performance.json` for the last official one."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field

from tests.bench.meter import Use

MEGABYTE = 1_000_000
_MICROSECONDS = 1_000_000
_SECONDS = BeforeValidator(lambda value: round(value, 3))


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)


class Figures(_Kept):
    """What some rows have cost."""

    rows: int
    text_bytes: int
    """Unpacked."""
    seconds: Annotated[float, _SECONDS]
    cpu_seconds: Annotated[float, _SECONDS]
    """Of the process and all of its descendants, as everything here."""
    peak_memory_bytes: int

    @classmethod
    def of(cls, use: Use, *, rows: int, text_bytes: int) -> Self:
        """Take over what was measured."""
        return cls(
            rows=rows,
            text_bytes=text_bytes,
            seconds=use.seconds,
            cpu_seconds=use.cpu_seconds,
            peak_memory_bytes=use.peak_memory_bytes,
        )

    def mean(self, other: "Figures") -> "Figures":
        """Return what the same rows have cost, taken from two times; the larger peak."""
        return self.model_copy(
            update={
                "seconds": round((self.seconds + other.seconds) / 2, 3),
                "cpu_seconds": round((self.cpu_seconds + other.cpu_seconds) / 2, 3),
                "peak_memory_bytes": max(self.peak_memory_bytes, other.peak_memory_bytes),
            }
        )

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def rows_per_second(self) -> int:
        """How fast."""
        return round(self.rows / self.seconds) if self.seconds else 0

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def megabytes_per_second(self) -> float:
        """How fast, by the unpacked text."""
        return round(self.text_bytes / MEGABYTE / self.seconds, 1) if self.seconds else 0.0

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def cpu_microseconds_per_row(self) -> float:
        """How much work, whatever else the machine does."""
        return round(_MICROSECONDS * self.cpu_seconds / self.rows, 2)

    def cpu_ratio(self, other: "Figures") -> float:
        """Tell how many times the processor time a row of the other it is."""
        return (self.cpu_seconds / self.rows) / (max(other.cpu_seconds, 0.001) / other.rows)

    def time_ratio(self, other: "Figures") -> float:
        """Tell how many times the time a row of the other it is."""
        return (self.seconds / self.rows) / (max(other.seconds, 0.001) / other.rows)


class Peer(_Kept):
    """Another program that does such work."""

    name: str
    how: str
    version: str = ""
    reason: str = ""
    """Why there are no figures, where there are none."""
    figures: Figures | None = None


class Machine(_Kept):
    """Where it was measured."""

    processor: str
    processors: int
    memory_bytes: int
    kernel: str
    python: str
    duckdb: str
    gpg: str


class Records(_Kept):
    """What came of a package."""

    rejected: int = 0
    """Rows that were refused."""
    contents: int = 0
    """Records that Viva Learning would be sent, as the others."""
    assignments: int = 0
    completions: int = 0
    """Those that complete no assignment."""


class Sync(_Kept):
    """One package through the whole connector, as a dry run."""

    package_bytes: int
    outcome: str
    records: Records = Records()
    stages: dict[str, Figures]
    """By name, in their order; some are sums of others."""
    waiting_seconds: Annotated[float, _SECONDS]
    """Of the sync, that were no stage: the host starts, messages wait their turn."""

    def mean(self, other: "Sync") -> "Sync":
        """Return what the same package has cost, taken from two times."""
        return self.model_copy(
            update={
                "stages": {name: figures.mean(other.stages[name]) for name, figures in self.stages.items()},
                "waiting_seconds": round((self.waiting_seconds + other.waiting_seconds) / 2, 3),
            }
        )


class Line(_Kept):
    """A file by SFTP, by the connector and by OpenSSH's own client."""

    name: str
    times_as_fast: Annotated[float, _SECONDS]
    at_least: float
    bytes_per_second: int
    peak_memory_bytes: int


class Beside(_Kept):
    """A package of a certain size through the connector and through the naive pipeline."""

    megabytes: int
    connector: Sync
    naive: Peer


class Again(_Kept):
    """A full package and, an hour later, one of the same tables; both published."""

    rows: int
    """Assignments."""
    first_seconds: Annotated[float, _SECONDS]
    second_seconds: Annotated[float, _SECONDS]
    first_writes: int
    """Objects sent to Graph."""
    second_writes: int


class Statements(_Kept):
    """xAPI statements that were read and checked, in one process."""

    count: int
    text_bytes: int
    seconds: Annotated[float, _SECONDS]
    cpu_seconds: Annotated[float, _SECONDS]
    json_cpu_seconds: Annotated[float, _SECONDS]
    """Of the bare parsing of the same bytes."""

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def per_minute(self) -> int:
        """How fast."""
        return round(60 * self.count / self.seconds) if self.seconds else 0


class Claim(_Kept):
    """A figure with a bound, or one without that belongs beside it."""

    topic: str
    figure: float | None
    """`None` when it could not be measured."""
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    judged: bool = True
    """Whether the data was large enough for the bound to mean anything."""

    @property
    def is_bounded(self) -> bool:
        """Tell whether there is anything to hold."""
        return self.at_most is not None or self.at_least is not None

    @property
    def holds(self) -> bool:
        """Tell whether the figure is within its bound; one that is missing is not."""
        if self.figure is None:
            return False
        high = self.at_most is None or self.figure <= self.at_most
        return high and (self.at_least is None or self.figure >= self.at_least)

    @property
    def missed(self) -> bool:
        """Tell whether somebody has to look into it."""
        return self.judged and not self.holds


class Result(_Kept):
    """One run of the benchmark."""

    day: str
    machine: Machine
    sizes: dict[str, int]
    sync: Sync
    chain: Figures | None = None
    """The bare chain of the tools, without a rule."""
    besides: tuple[Beside, ...] = ()
    peers: tuple[Peer, ...] = ()
    tenth: Sync | None = None
    """A package of a tenth, where this is one of the largest that are taken."""
    sftp: tuple[Line, ...] = ()
    again: Again | None = None
    statements: Statements | None = None
    imports: tuple[dict[str, Any], ...] = ()
    """What each function's process imports, and how long that may take where there is a bound."""
    took: dict[str, float] = Field(default={})
    """Seconds of each part of the bench; without what is made once and kept."""
    claims: tuple[Claim, ...] = Field(default=())

    @property
    def missed(self) -> list[Claim]:
        """Return the bounds that do not hold."""
        return [claim for claim in self.claims if claim.missed]
