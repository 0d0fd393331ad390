"""Who of the learners is who in Entra: the join of learners with the directory index, and what it came to.

Exactly one enabled member is a match; two or more are ambiguous, and nobody guesses. Guests never count.
"""

from collections.abc import Sequence

from shared.domain.matching import ALL_RULES, BITS, PersonIdRule, bits_of, extensions_of, rules_of
from shared.domain.runs import Coverage
from shared.pipeline.engine import Engine
from shared.pipeline.person_keys import key_under

_FOUND_OTHERWISE = 1 << len(BITS)
"""Beside the bits of rules: the learner's id as it stands is not the user's."""


def map_persons(engine: Engine, rules: Sequence[PersonIdRule]) -> None:
    """Make the table `mapping`: every learner's person key with `state`, user and licence; and the table `near`.

    Needs `users` and `students`. `near` (person, rules) has the unmatched ones that an enabled member nearly matches:
    `rules` are those with which exactly one would, null when none would. With rules there is a table `ruled` as well
    (person, rules), of the learners that are matched thanks to some of them.
    """
    bits = bits_of(rules)

    def user(under: int) -> str:
        return key_under(under, "u.exact", "u.forms")

    def student(under: int) -> str:
        return key_under(under, "s.exact" if bits else "s.person", "s.forms")

    # Users are counted first and joined then: in a company of a million there is no room for both at once.
    engine.run(
        "create or replace temp table candidates as select person, count(*) filter (enabled) as enabled, "
        "count(*) filter (not enabled) as disabled, any_value(id) filter (enabled) as id, "
        "bool_or(licensed) filter (enabled) as licensed "
        f"from (select u.*, {user(bits)} as person from users u where u.member) where person is not null "
        "group by person"
    )
    engine.run(
        "create or replace table mapping as select s.person, case when u.enabled = 1 then 'mapped' "
        "when u.enabled > 1 then 'ambiguous' when u.disabled > 0 then 'disabled' else 'unmatched' end as state, "
        "case when u.enabled = 1 then u.id end as user_id, case when u.enabled = 1 then u.licensed end as licensed, "
        "false as near_miss from (select distinct person from students where person is not null) s "
        "left join candidates u using (person)"
    )
    engine.run("drop table candidates")
    wider = extensions_of(bits)
    counts = ", ".join(f"count(distinct u.id) filter ({user(each)} = {student(each)}) as with_{each}" for each in wider)
    first = " ".join(f"when with_{each} = 1 then {each}" for each in wider)
    engine.run(
        f"create or replace temp table near as select person, case {first or 'when false then 0'} end as rules from ("
        f"select m.person{', ' if counts else ''}{counts} from mapping m join students s using (person) "
        f"join users u on {user(ALL_RULES)} = {student(ALL_RULES)} "
        "where m.state = 'unmatched' and u.enabled and u.member group by m.person)"
    )
    engine.run("update mapping set near_miss = true where person in (select person from near)")
    if bits:
        needed = " | ".join(
            f"case when {user(bits - bit)} <> {student(bits - bit)} then {bit} else 0 end"
            for bit in (BITS[rule] for rule in rules)
        )
        engine.run(
            f"create or replace temp table ruled as select m.person, bit_or({_FOUND_OTHERWISE} | {needed}) as rules "
            "from mapping m join students s using (person) join users u on u.id = m.user_id "
            "where m.state = 'mapped' and u.exact <> s.exact group by m.person"
        )


def cover(engine: Engine, rules: Sequence[PersonIdRule]) -> Coverage:
    """Count the persons of a pass with at least one assignment or credited completion, by how they were found.

    Needs `decisions`, `history`, `learners_now`, and the tables of `map_persons`; makes `covered` (person, state,
    near_miss).
    """
    engine.run(
        "create or replace temp table covered as select distinct person, state, near_miss from learners_now "
        "where state is not null and person in (select person from decisions where in_plan union all "
        "select person from history where credit)"
    )
    counted = dict.fromkeys(("mapped", "unmatched", "ambiguous", "disabled"), 0)
    near_misses = 0
    for state, near_miss, count in engine.rows("select state, near_miss, count(*) from covered group by all"):
        counted[state] += count
        near_misses += count if near_miss else 0
    ruled = _count(engine, "ruled") if rules else {}
    return Coverage(
        learners=sum(counted.values()),
        near_miss=near_misses,
        near_by_rules={
            ", ".join(rules_of(bits - bits_of(rules))): count for bits, count in _count(engine, "near").items() if bits
        },
        by_rules=sum(ruled.values()),
        by_rule={rule: sum(count for bits, count in ruled.items() if bits & BITS[rule]) for rule in rules},
        **counted,
    )


def _count(engine: Engine, table: str) -> dict[int, int]:
    """Count the persons of a pass in `near` or `ruled`, by their rules."""
    found = f"select r.rules, count(*) from covered c join {table} r using (person) group by all order by all"
    return {bits: count for bits, count in engine.rows(found) if bits is not None}
