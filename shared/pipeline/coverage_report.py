"""The coverage of a run as a report: why persons were not found in Entra, and where each stands in the package.

It holds no id of anybody, not even a hash: whoever has the package finds the person by file and line. Persons whose
row did not come with this package have none, and are counted in one row a reason. Who was found thanks to a rule is
counted in one row a rule.
"""

from shared.domain.matching import bits_of, extensions_of, rules_of
from shared.domain.runs import Coverage, Run
from shared.domain.unmapped import near_mend, words_for
from shared.pipeline import report_csv
from shared.pipeline.engine import Engine, text
from shared.pipeline.person_keys import key_under
from shared.pipeline.run_data import RunData
from shared.pipeline.staging import STUDENTS

_COLUMNS = ("run", "reason", "persons", "file", "line", "rules", "how_to_mend")
FOUND_BY_RULES = "mapped_by_rules"
"""Stands for a reason where somebody was found."""


def path(run: Run) -> str:
    """Return where a run's coverage report stands in the container `reports`."""
    return f"{run.connection}/{run.run_id}/coverage.csv"


def begin(engine: Engine) -> None:
    """Forget whoever was collected."""
    engine.run("create or replace table uncovered (person uuid, reason varchar)")


def collect(engine: Engine) -> None:
    """Collect the persons of a pass who were not mapped. Needs `covered`."""
    engine.run(
        "insert into uncovered select person, case when near_miss then 'near_miss' else state end from covered "
        "where state <> 'mapped'"
    )


def report(data: RunData, coverage: Coverage) -> None:
    """Write the report about whoever was collected; somebody with several student ids stands at the first one."""
    file = text(data.manifest.files.get(STUDENTS, STUDENTS))
    connection, bits = data.connection, bits_of(data.connection.person_id_rules)
    mend = " ".join(
        f"when reason = {text(reason)} then {text(words.mend)}"
        for reason, words in words_for(connection.directory_attribute).items()
    )
    more = [(each, ", ".join(rules_of(each - bits))) for each in extensions_of(bits)]
    rules = " ".join(f"when {each} then {text(told)}" for each, told in more) or "when null then null"
    near = " ".join(f"when rules = {each} then {text(near_mend(told))}" for each, told in more)
    person = key_under(bits, "s.PERSON_ID_EXTERNAL", "s.FORMS")
    found = "".join(
        f" union all select {text(data.run.run_id)}, {text(FOUND_BY_RULES)}, {count}, null, null, {text(rule)}, ''"
        for rule, count in coverage.by_rule.items()
    )
    report_csv.keep(
        data.parts,
        data.engine,
        path(data.run),
        _COLUMNS,
        f"select * from (select {text(data.run.run_id)}, reason, count(*), "
        f"case when line is not null then {report_csv.harmless(file)} end, line, case rules {rules} end, "
        f"case {near} {mend} end from ("
        "select u.reason, any_value(n.rules) as rules, min(s.line) filter (s.came) as line from uncovered u "
        f"left join {STUDENTS} s on {person} = u.person left join near n on n.person = u.person "
        "group by u.person, u.reason) group by reason, line, rules order by line nulls last, reason, rules)"
        f"{found}",
    )
    data.engine.run("drop table uncovered")
