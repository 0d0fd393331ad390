"""What a run without a package may send: it plans from the tables as they are.

Kept beside the run's manifest, so that every step of the run finds it.
"""

from datetime import date

from shared.domain.connection import Connection
from shared.domain.runs import Run
from shared.domain.strict import Strict
from shared.pipeline.engine import Engine, text
from shared.pipeline.parts import Parts
from shared.pipeline.plan_changes import CONTENT_OPERATIONS, OPERATIONS


class Days(Strict):
    """Calendar days in the source time zone, both inclusive."""

    first: date
    last: date

    def holds(self, row: str) -> str:
        """Return SQL that tells whether a record was assigned or completed on one of the days."""
        between = f"between date '{self.first}' and date '{self.last}'"
        return f"(coalesce({row}.day {between}, false) or coalesce({row}.completed_on {between}, false))"


class Scope(Strict):
    """Which of all that differs from Viva Learning is sent."""

    keys: tuple[str, ...] = ()
    """External ids of contents and activities that are sent whatever is to be done about them."""
    missing: bool = True
    """Whether everything that Viva Learning has never had is sent as well."""
    days: Days | None = None
    """Of activities only those of these days; they are looked for in Viva Learning even if it once had them."""

    def restrict_contents(self, engine: Engine) -> None:
        """Leave in the table `contents` what is in scope."""
        self._load_keys(engine)
        engine.run(
            "update contents set todo = case when was_published then 'same' else 'ignore' end "
            f"where todo in {CONTENT_OPERATIONS} and not ({self._is_wanted('key')})"
        )

    def restrict_activities(self, engine: Engine, connection: Connection) -> None:
        """Leave in the table `decisions` what is in scope; `outside` is what is not."""
        if self.days is not None:
            _look_for_published(engine, self.days)
            wanted = f"todo = 'ensure' or (todo = 'add' and {self.days.holds('decisions')})"
        else:
            self._load_keys(engine)
            wanted = self._is_wanted(f"{text(connection.configuration_id + ':')} || ext::varchar")
        engine.run(f"update decisions set todo = 'outside' where todo in {OPERATIONS} and not ({wanted})")

    def weigh_contents(self, engine: Engine) -> None:
        """Make the table `row_weights`: no rows were read, so that every record that is sent counts once."""
        engine.run(
            "create or replace table row_weights as select 'contents' as rows_of, key, 'published' as class, "
            f"1::bigint as weight from contents where todo in {CONTENT_OPERATIONS}"
        )

    def weigh_activities(self, engine: Engine) -> None:
        """Make the table `row_weights` of a pass (see `weigh_contents`)."""
        engine.run(
            "create or replace table row_weights as select case kind when 'assignment' then 'assignments' else "
            "'completions' end as rows_of, ext as key, 'published' as class, 1::bigint as weight "
            f"from decisions where todo in {OPERATIONS}"
        )

    def _load_keys(self, engine: Engine) -> None:
        engine.run("create or replace temp table asked (key varchar)")
        engine.run("insert into asked select unnest(?)", [list(self.keys)])

    def _is_wanted(self, key: str) -> str:
        wanted = f"{key} in (select key from asked)"
        return f"todo = 'add' or {wanted}" if self.missing else wanted


def _look_for_published(engine: Engine, days: Days) -> None:
    """Mark what should be in Viva Learning as `ensure`; completions for themselves are no decisions, once published."""
    engine.run(
        "update decisions set todo = 'ensure' where todo = 'same' and activity_id is not null and content_id is not "
        "null and content in (select key from available where active) and " + days.holds("decisions")
    )
    engine.run(
        "insert into decisions by name select p.ext, p.kind, p.activity_id, l.user_id, p.person, p.student, p.place, "
        "p.content, p.type, p.status, p.assigned_at, p.day, p.due_at, p.completed_at, p.completed_on, p.completed_as, "
        "false as came, false as in_plan, l.state, c.content_id, 'ensure' as todo "
        "from published p join learners_now l on l.student = p.student and l.state = 'mapped' "
        "join available c on c.key = p.content and c.active and c.content_id is not null "
        f"where p.kind = 'self' and p.refused_at is null and p.activity_id is not null and {days.holds('p')}"
    )


def path(run: Run) -> str:
    """Return where a run's scope stands in the container `records`."""
    return f"{run.connection}/{run.run_id}/scope.json"


def find(parts: Parts, run: Run) -> Scope | None:
    """Return the scope of a run without a package, else `None`: a package's run sends all that differs."""
    return None if run.kind.is_package else Scope.model_validate_json(parts.records.get(path(run)))


def settings(connection: Connection, scope: Scope | None) -> Connection:
    """Return the connection as the run has to see it: whoever asks again does not wait for `licence_recheck_days`."""
    return connection if scope is None else connection.model_copy(update={"licence_recheck_days": 0.0})
