"""The coverage of a run as a report: why persons were not found in Entra, and where each stands in the package.

It holds no id of anybody, not even a hash: whoever has the package finds the person by file and line. Persons whose
row did not come with this package have none, and are counted in one row a reason.
"""

from shared.domain.runs import Run
from shared.domain.unmapped import WORDS
from shared.pipeline import report_csv
from shared.pipeline.engine import Engine, text
from shared.pipeline.run_data import RunData
from shared.pipeline.staging import STUDENTS

_COLUMNS = ("run", "reason", "persons", "file", "line", "how_to_mend")


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


def report(data: RunData) -> None:
    """Write the report about whoever was collected; somebody with several student ids stands at the first one."""
    file = text(data.manifest.files.get(STUDENTS, STUDENTS))
    mend = " ".join(f"when {text(reason)} then {text(words.mend)}" for reason, words in WORDS.items())
    report_csv.keep(
        data.parts,
        data.engine,
        path(data.run),
        _COLUMNS,
        f"select {text(data.run.run_id)}, reason, count(*), "
        f"case when line is not null then {report_csv.harmless(file)} end, line, case reason {mend} end from ("
        f"select u.reason, min(s.line) filter (s.came) as line from uncovered u left join {STUDENTS} s "
        "on s.PERSON_ID_EXTERNAL = u.person group by u.person, u.reason) group by reason, line "
        "order by line nulls last, reason",
    )
    data.engine.run("drop table uncovered")
