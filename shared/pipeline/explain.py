"""Why does this learner see this course, or why not? One cause, and the chain of facts behind it.

Everything is read and nothing is changed. The learner's id is hashed as ids of packages are, and kept nowhere.
"""

from collections.abc import Iterator

from shared.domain.explanation import WORDS, About, Cause, Fact, Finding, Shown
from shared.domain.plan import Verdict
from shared.domain.runs import Outcome, Run, Step
from shared.pipeline import explain_load, journal
from shared.pipeline.engine import engine
from shared.pipeline.explain_evidence import Evidence, fact_at, fact_of_sent
from shared.pipeline.explain_judge import Judged, judge
from shared.pipeline.explain_scene import HISTORY, ITEMS, Question, Scene
from shared.pipeline.parts import Parts
from shared.pipeline.run_data import PLAN
from shared.pipeline.staging import STUDENTS

_FOUND = {
    "mapped": "One enabled user in Entra has this {attribute}: {user}.",
    "ambiguous": "{enabled} enabled users in Entra have this {attribute}: {users}.",
    "disabled": "Only disabled users in Entra have this {attribute}: {users}.",
    "unmatched": "No user in Entra has this {attribute}.",
}
_THANKS_TO = " The two ids differ: they match thanks to {rules}."
_NEAR_MISS = " An enabled user has the same one but for leading zeros, spaces and signs: {near}."
_WOULD_MATCH = " It would match with {rules} (person_id_rules)."
_LINES = 10
"""How many lines are told of rows that nobody can read."""


def explain(parts: Parts, connection: str, question: Question) -> Finding:
    """Return why the learner sees the course or does not.

    Raises:
        SettingsError: there is no such connection, it cannot be told which course is meant, or the pepper is missing.
        TransientError: storage or vault cannot be reached.
    """
    with engine(parts.memory_mb) as columnar:
        scene = Scene.open(parts, connection, columnar)
        facts = list(_run_facts(scene))
        if scene.state.pepper_version is None or (scene.run is None and scene.state.committed is None):
            return _finding(scene, question.item.strip(), Judged(Cause.NOTHING_PUBLISHED), facts)
        columnar.set_pepper(journal.get_pepper(parts, connection))
        explain_load.ask(scene, question)
        explain_load.load_learner(scene)
        explain_load.decide(scene, parts.clock())
        seen = Evidence.gather(scene, read_packages=question.read_packages)
        facts += [*_learner_facts(seen), *_course_facts(seen), *_record_facts(seen), *_search_facts(seen)]
        return _finding(scene, scene.item, judge(seen), facts, _shown(seen))


def _finding(scene: Scene, item: str, judged: Judged, facts: list[Fact], shown: tuple[Shown, ...] = ()) -> Finding:
    order = list(About)
    words = WORDS[judged.cause]
    return Finding(
        connection=scene.connection_name,
        item=item,
        cause=judged.cause,
        what=words.what.format(attribute=scene.connection.directory_attribute),
        mend=words.mend.format(attribute=scene.connection.directory_attribute),
        decisive=judged.fact,
        shown=shown,
        facts=tuple(sorted(facts, key=lambda fact: order.index(fact.about))),
    )


def _run_facts(scene: Scene) -> Iterator[Fact]:
    """Say how the connection and its newest runs stand."""
    if not scene.connection.enabled:
        yield Fact(about=About.CONNECTION, text="The connection is switched off: nothing new is fetched.")
    if scene.state.needs_full:
        yield Fact(about=About.CONNECTION, text=scene.state.needs_full)
    if scene.state.committed:
        committed = scene.state.committed
        text = "The newest package that is published."
        yield Fact(about=About.RUN, text=text, run=committed.run_id, package=committed.package, at=committed.timestamp)
    since = scene.state.committed.run_id if scene.state.committed else ""
    for run in scene.runs:
        if run.run_id > since and not run.dry_run and run.outcome is not Outcome.SKIPPED:
            yield _newer_run(run)


def _newer_run(run: Run) -> Fact:
    if run.step is Step.ENDED:
        told = f"A later run ended as {run.outcome}. {run.message}".strip()
    elif run.step is Step.HALTED:
        told = f"A later run is halted. {run.message}"
    else:
        told = f"A later run is at the step {run.step}."
    return Fact(about=About.RUN, text=told, run=run.run_id, package=run.package, code=run.code, at=run.ended_at)


def _learner_facts(seen: Evidence) -> Iterator[Fact]:
    for row in seen.rows[STUDENTS]:
        told = "not active any more" if row.values["NOTACTIVE"] else "active"
        yield seen.fact_of(row, f"The learner, {told}.")
    if not seen.rows[STUDENTS]:
        yield Fact(about=About.LEARNER, text="The learner is in no table that is kept.", file=STUDENTS)
    found, index = seen.mapping, seen.scene.index
    if found is None or index is None:
        yield Fact(about=About.DIRECTORY, text="Nobody has asked Entra about this learner yet.")
        return
    same = [user for user in seen.users if user["exact"]]
    told = _FOUND[found["state"]].format(
        user=found["user_id"],
        users=", ".join(user["id"] for user in same if user["enabled"] or found["state"] == "disabled"),
        enabled=sum(bool(user["enabled"]) for user in same),
        attribute=seen.scene.connection.directory_attribute,
    )
    if seen.thanks_to:
        told += _THANKS_TO.format(rules=seen.thanks_to)
    if found["near_miss"]:
        told += _NEAR_MISS.format(near=", ".join(user["id"] for user in seen.users if user["near"]))
        told += _WOULD_MATCH.format(rules=seen.would_match) if seen.would_match else ""
    if found["licensed"] is not None:
        told += " The user has a licence." if found["licensed"] else " The user has no licence for Viva Learning."
    yield Fact(about=About.DIRECTORY, text=told, at=index.refreshed_at)


def _course_facts(seen: Evidence) -> Iterator[Fact]:
    for row in seen.rows[ITEMS]:
        told = "not active" if row.values["NOTACTIVE"] else "active"
        yield seen.fact_of(row, f"The course, revision {row.values['REV_DTE_TEXT']}, {told}.")
    content = seen.content
    if content is None:
        yield Fact(about=About.COURSE, text="The course is in no table that is kept.", file=ITEMS)
    elif content["was_published"]:
        state = "active" if content["was_active"] else "not active"
        yield Fact(about=About.COURSE, text=f"Viva Learning has it as content {content['content_id']}, {state}.")
    else:
        yield Fact(about=About.COURSE, text="Viva Learning does not have the course.")
    if no_place := seen.no_place():
        yield no_place
    for sent in seen.sent_contents:
        yield fact_of_sent(sent)


def _record_facts(seen: Evidence) -> Iterator[Fact]:
    for row in seen.rows[PLAN]:
        assigned, due = row.values["ASSGN_DTE"], row.values["REQ_DTE"]
        told = f"Assigned on {assigned:%Y-%m-%d}" if assigned else "Assigned, without a date"
        yield seen.fact_of(row, f"{told}, due on {due:%Y-%m-%d}." if due else f"{told}.")
    for row in seen.rows[HISTORY]:
        credit = "gives" if seen.credits.get(row.pk) else "does not give"
        told = f"Completed {row.values['COMPL_DTE_TEXT']} as {row.values['CMPL_STAT_ID']}, which {credit} credit."
        yield seen.fact_of(row, told)
    for sent in seen.sent:
        yield fact_of_sent(sent)


def _search_facts(seen: Evidence) -> Iterator[Fact]:
    for place in seen.search.places:
        if place.code is not None:
            yield fact_at(place, place.message)
    for each in seen.search.unreadable:
        lines = ", ".join(str(line) for line in each.lines[:_LINES])
        more = f" and {len(each.lines) - _LINES} more" if len(each.lines) > _LINES else ""
        yield Fact(
            about=About.RUN,
            text=f"Rejected rows of which nobody can tell whose they are: {lines}{more}.",
            run=each.run.run_id,
            package=each.run.package,
            file=each.file,
            line=each.lines[0],
        )
    for package, reason in seen.search.unread.items():
        text = f"The package could not be opened again, so lines in it are not told: {reason}"
        yield Fact(about=About.RUN, text=text, package=package)


def _shown(seen: Evidence) -> tuple[Shown, ...]:
    return tuple(
        Shown(
            kind=each["kind"],
            status=each["status"],
            activity_id=each["activity_id"],
            user_id=each["user_id"],
            since=next(
                (
                    sent.run.ended_at
                    for sent in seen.sent
                    if sent.ext == each["ext"] and sent.todo in ("add", "recreate") and sent.verdict is Verdict.DONE
                ),
                None,
            ),
        )
        for each in seen.published
    )
