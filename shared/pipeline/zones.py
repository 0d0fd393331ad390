"""The source time zone by the day: on all but a few days of a year, its clocks are off from UTC by one and the same.

What the engine makes of a single time costs more than all else that is done to its row; to look up a day is cheap.
"""

from shared.pipeline.engine import Engine, text

UTC = "UTC"
_FIRST_DAY, _LAST_DAY = "1990-01-01", "2059-12-31"
"""The days that are looked up; times of any other are made one by one."""


def make_zone_days(engine: Engine, zone: str) -> None:
    """Make the table `zone_days` (day, to_utc, to_local) for `join_days`.

    `to_utc` are the microseconds from what a clock shows on that day of the zone to UTC, `to_local` those from UTC on
    that day of UTC to what a clock shows; null on a day when the clocks are changed.
    """
    if zone == UTC:
        return
    engine.run(
        "create or replace temp table zone_days as select day::date as day, "
        "case when to_utc = lead(to_utc) over days then to_utc end as to_utc, "
        "case when to_local = lead(to_local) over days then to_local end as to_local from ("
        f"select day, epoch_us({to_utc('day', zone)}) - epoch_us(day) as to_utc, "
        f"epoch_us({to_local('day', zone)}) - epoch_us(day) as to_local from (select unnest(generate_series("
        f"timestamp {text(_FIRST_DAY)}, timestamp {text(_LAST_DAY)} + interval 1 day, interval 1 day)) as day)) "
        "window days as (order by day)"
    )


def join_days(timestamps: dict[str, str], zone: str) -> str:
    """Return SQL that joins a row with the days of some of its times, each under its name."""
    if zone == UTC:
        return ""
    return "".join(f" left join zone_days {alias} on {alias}.day = ({sql})::date" for alias, sql in timestamps.items())


def to_utc(local: str, zone: str, *, day: str | None = None) -> str:
    """Return SQL for the time in UTC, as naive timestamp, when clocks in `zone` show another; the first such time.

    One that they skip moves forward. `day` is the name under which the day of it is joined (see `join_days`).
    """
    if zone == UTC:
        return local
    late = f"timezone({text(zone)}, {local})"

    def first(earlier: str) -> str:
        return f"timezone({text(zone)}, {late} - interval '{earlier}') = ({local})"

    one_by_one = (
        f"(case when {first('60 minutes')} then {late} - interval '60 minutes' "
        f"when {first('30 minutes')} then {late} - interval '30 minutes' else {late} end)::timestamp"
    )
    return _moved(local, f"{day}.to_utc", one_by_one) if day else one_by_one


def to_local(utc: str, zone: str, *, day: str | None = None) -> str:
    """Return SQL for what clocks in `zone` show at a time in UTC; both are naive timestamps. `day` as in `to_utc`."""
    if zone == UTC:
        return utc
    one_by_one = f"timezone({text(zone)}, timezone('UTC', {utc}))"
    return _moved(utc, f"{day}.to_local", one_by_one) if day else one_by_one


def _moved(timestamp: str, microseconds: str, otherwise: str) -> str:
    moved = f"make_timestamp(epoch_us({timestamp}) + {microseconds})"
    return f"case when {microseconds} is not null then {moved} else {otherwise} end"
