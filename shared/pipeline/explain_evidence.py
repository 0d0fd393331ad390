"""All that an explanation rests on, gathered once: rows and where they stand, decisions, receipts, the directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from shared.domain.errors import Code
from shared.domain.explanation import About, Fact
from shared.domain.matching import ALL_RULES, bits_of, rules_of
from shared.domain.runs import Reject, Run
from shared.pipeline.explain_pushes import Pushes, Sent
from shared.pipeline.explain_rows import WANTED, Place, Search
from shared.pipeline.explain_scene import HISTORY, ITEMS, Row, Scene
from shared.pipeline.person_keys import key_under
from shared.pipeline.run_data import PLAN
from shared.pipeline.staging import STUDENTS

ABOUT = {STUDENTS: About.LEARNER, PLAN: About.ASSIGNMENT, HISTORY: About.COMPLETION, ITEMS: About.COURSE}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One learner and one course, seen from all sides."""

    scene: Scene
    search: Search
    mapping: Mapping[str, Any] | None
    """Who the learner is in Entra: `state`, `user_id`, `licensed`, `near_miss`; `None` for an unknown student id."""
    users: Sequence[Mapping[str, Any]]
    """Users whose id is the learner's (`exact`, under the rules) or nearly so (`near`, enabled ones only): `id`,
    `enabled`."""
    thanks_to: str
    """Rules without which the learner would not be matched."""
    would_match: str
    """Rules with which a near miss would be one user."""
    content: Mapping[str, Any] | None
    """What is to be shown of the course: `todo`, `active`, `was_published`, `was_active`, `content_id`."""
    records: Sequence[Mapping[str, Any]]
    """Decisions about the learner's records, those about what is published beside them, newest first."""
    published: Sequence[Mapping[str, Any]]
    """What Viva Learning shows to the learner, as far as runs have ended."""
    rows: Mapping[str, Sequence[Row]]
    credits: Mapping[str, bool]
    """Whether a row of the history gives credit, by its key."""
    sent_contents: Sequence[Sent]
    sent: Sequence[Sent]

    @classmethod
    def gather(cls, scene: Scene, *, read_packages: bool) -> Self:
        """Look everywhere; needs `decide`."""
        bits = bits_of(scene.connection.person_id_rules)
        mapping = scene.dicts("select state, user_id, licensed, near_miss from mapping")
        content = scene.dicts(
            "select todo, active, was_published, was_active, content_id, key from contents "
            "where key in (select key from asked_item)"
        )
        rows = {
            STUDENTS: scene.rows_of(STUDENTS, "NOTACTIVE"),
            ITEMS: scene.rows_of(ITEMS, "NOTACTIVE, REV_DTE_TEXT"),
            PLAN: scene.rows_of(PLAN, "EXT, ASSGN_DTE, REQ_DTE, RTYP_ID"),
            HISTORY: scene.rows_of(HISTORY, "COMPL_DTE_TEXT, CMPL_STAT_ID"),
        }
        search = Search(scene, read_packages)
        search.look_for([row for each in rows.values() for row in each])
        search.look_for_rejects(WANTED)
        # Rows of people who are in no directory are dropped after a while: only the packages still tell of them.
        is_unknown = not rows[STUDENTS] and not (mapping and mapping[0]["state"] == "mapped")
        if is_unknown and scene.connection.learner_sync:
            search.look_everywhere()
        pushes = Pushes(scene)
        return cls(
            scene=scene,
            search=search,
            mapping=mapping[0] if mapping else None,
            users=scene.dicts(
                f"select id, enabled, coalesce({key_under(bits, 'exact', 'forms')} in (select person from students), "
                f"false) as exact, coalesce(enabled and {key_under(ALL_RULES, 'exact', 'forms')} in "
                f"(select {scene.key_of_students(ALL_RULES)} from students), false) as near "
                "from users where member order by id"
            ),
            thanks_to=_rules_told(scene, "ruled") if bits else "",
            would_match=_rules_told(scene, "near", bits),
            content=content[0] if content else None,
            records=scene.dicts(
                "select d.* exclude (ext), d.ext::varchar as ext, p.ext is not null as was_published, "
                "p.status as was_status from decisions d left join published p on p.ext = d.ext "
                "and p.refused_at is null where d.content in (select content from asked_item) "
                "order by coalesce(d.completed_at, d.assigned_at) desc nulls last, d.ext"
            ),
            published=scene.dicts(
                "select ext::varchar as ext, kind, status, activity_id, user_id, assigned_at, completed_at "
                "from published where refused_at is null order by ext"
            ),
            rows=rows,
            credits=dict(scene.engine.rows("select pk::varchar, credit from history")),
            sent_contents=pushes.contents(),
            sent=pushes.activities(),
        )

    def fact_of(self, row: Row, told: str) -> Fact:
        """Say something of a row, with its package, file and line as far as they are known."""
        place = self.search.place_of(row)
        if place is not None:
            return fact_at(place, told)
        run = self.run(row.run)
        return Fact(
            about=ABOUT[row.table],
            text=told,
            run=row.run,
            package=run.package if run else None,
            file=row.table,
            line=row.line,
        )

    def row_of(self, record: Mapping[str, Any]) -> Row | None:
        """Return the row of the plan behind a decision."""
        return next((row for row in self.rows[PLAN] if str(row.values["EXT"]) == record["ext"]), None)

    def run(self, run_id: str | None) -> Run | None:
        """Return a run that is remembered."""
        return next((run for run in self.scene.runs if run.run_id == run_id), None)

    def no_place(self) -> Fact | None:
        """Return that the newest run found no place left for the course, if it did."""
        run = self.scene.run
        lines = {row.line for row in self.rows[ITEMS]}
        found = [
            each
            for each in (run.rejects if run else ())
            if each.code is Code.ITEM_LIMIT and each.file == ITEMS and each.line in lines
        ]
        return fact_of_reject(run, found[0]) if run and found else None


def _rules_told(scene: Scene, table: str, but: int = 0) -> str:
    """Name the rules of the learner in `near` or `ruled`, but those that are in force anyway."""
    found = scene.engine.rows(f"select rules from {table} where rules is not null")
    return " and ".join(rules_of(found[0][0] & ~but)) if found else ""


def fact_at(place: Place, told: str) -> Fact:
    """Say something of a row that was found in its package."""
    return Fact(
        about=ABOUT[place.table],
        text=told,
        run=place.run.run_id,
        package=place.run.package,
        file=place.file,
        line=place.line,
        field=place.field or None,
        code=place.code,
    )


def fact_of_reject(run: Run, reject: Reject) -> Fact:
    """Say what a run's report says of a row."""
    return Fact(
        about=About.COURSE,
        text=reject.message,
        run=run.run_id,
        package=run.package,
        file=reject.file,
        line=reject.line,
        field=reject.field,
        code=reject.code,
    )


def fact_of_sent(sent: Sent) -> Fact:
    """Say what became of something that was planned."""
    deed = {"add": "Add", "update": "Change", "recreate": "Make anew", "withdraw": "Take back"}.get(
        sent.todo, "Publish"
    )
    if sent.verdict is None:
        is_over = sent.run.ended_at is not None
        became = "not sent before the run ended" if is_over else "not decided yet"
        if sent.paused_until:
            became = f"Graph asked for a pause until {sent.paused_until:%Y-%m-%d %H:%M:%S} UTC"
    else:
        became = {"done": "done", "rejected": "refused", "unlicensed": "parked"}[sent.verdict]
        became += f", for {sent.reason}" if sent.reason else ""
    return Fact(
        about=About.PUSH,
        text=f"{deed} {sent.key}: {became}.",
        at=sent.paused_until or sent.run.ended_at,
        run=sent.run.run_id,
        package=sent.run.package,
        code=sent.code,
    )


def with_place(fact: Fact, place: Fact | None) -> Fact:
    """Return the fact with the package, file and line of another one, where it has none of its own."""
    if place is None or fact.line is not None:
        return fact
    return fact.model_copy(update={"package": place.package, "file": place.file, "line": place.line})
