"""Whether Microsoft Graph does what the connection needs.

A person cannot see an app's roles, and an app cannot read its provider: whoever asks, a part of the answer comes from
what the app's newest run could do.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.domain.runs import Outcome
from shared.pipeline.directory import PAGE_SIZE
from shared.pipeline.doctor.check import Check, Patient
from shared.pipeline.doctor.standing import find_proof
from shared.ports import Answer, Call, Caller

CONTENT_ROLES = ("LearningContent.ReadWrite.All",)
LEARNER_ROLES = (
    "LearningAssignedCourse.ReadWrite.All",
    "LearningSelfInitiatedCourse.ReadWrite.All",
    "User.Read.All",
)
SEEDED_SERVICE_PLAN_ID = "b76fb638-6ba6-402a-b9f9-83d28acb3d86"
"""Viva Learning as it comes with Microsoft 365, which is not what learners need."""
CLOCK_WARNS, CLOCK_FAILS = timedelta(minutes=1), timedelta(minutes=5)
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_USED = (Outcome.DONE, Outcome.PARTIAL)
_PROVIDER_MEND = (
    "A Knowledge Administrator compares viva.provider_id with the id that `lms provider register` prints, and lets it "
    "switch on isCourseActivitySyncEnabled."
)


def examine_graph(patient: Patient) -> Iterator[Check]:
    """Check access, the clock, the app's roles, the provider and the licence plan."""
    answers: list[Answer] = []
    yield patient.you("Graph access").attempt(lambda: _access(patient, answers))
    asked_at = patient.parts.clock()
    if answers:
        yield _clock(patient, answers[0], asked_at)
        yield patient.app("provider").attempt(lambda: _provider(patient, answers[0]))
        yield patient.app("licence plan").attempt(lambda: _licence(patient))
    else:
        for name in ("clock", "provider", "licence plan"):
            yield patient.you(name).skipped("Graph did not answer.")
    yield patient.app("Graph roles").attempt(lambda: _roles(patient))


def _provider_path(patient: Patient) -> str:
    return f"/employeeExperience/learningProviders/{quote(patient.connection.viva.provider_id, safe='')}"


def _ask(patient: Patient, path: str) -> Answer:
    return patient.parts.graph.send([Call("GET", path)], batch=False)[0]


def _access(patient: Patient, answers: list[Answer]) -> Check:
    exam = patient.you("Graph access")
    answer = _ask(patient, _provider_path(patient))
    mend = "See that this machine reaches the address in LMS_GRAPH_URL. " + EXPLANATIONS[Code.GRAPH_UNAVAILABLE].mend
    if answer.status == 0:
        return exam.failed("Graph cannot be reached.", mend, Code.GRAPH_UNAVAILABLE)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return exam.failed(
            "Graph did not accept the token.", "Sign in again, for example with `az login`.", Code.GRAPH_UNAVAILABLE
        )
    answers.append(answer)
    return exam.passed("Graph answers.")


def _clock(patient: Patient, answer: Answer, asked_at: datetime) -> Check:
    exam, served_at = patient.you("clock"), answer.served_at
    if served_at is None:
        return exam.skipped("Graph did not say what time it is.")
    off = abs(asked_at - served_at)
    told = f"This machine's clock and Graph's are {off // timedelta(seconds=1)} seconds apart."
    mend = "Let the machine set its clock by a time server. LMS_NOW is for rehearsals only: leave it out."
    if off > CLOCK_FAILS:
        return exam.failed(told, mend)
    return exam.warned(told, mend) if off > CLOCK_WARNS else exam.passed(told)


def _roles(patient: Patient) -> Check:
    exam = patient.app("Graph roles")
    needed = (*CONTENT_ROLES, *(LEARNER_ROLES if patient.connection.learner_sync else ()))
    mend = (
        f"Grant the app's managed identity the app roles {', '.join(needed)}. "
        "One granted a moment ago may take a day to reach its tokens."
    )
    caller = patient.parts.caller()
    if caller is not None and not caller.scopes:
        missing = [role for role in needed if role not in caller.roles]
        if missing:
            told = f"The app's token is without {', '.join(missing)}."
            return exam.failed(told, mend, Code.GRAPH_PERMISSION_MISSING)
        return exam.passed(f"The app's token holds {', '.join(needed)}.")
    proof = find_proof(patient)
    if proof and proof.code is Code.GRAPH_PERMISSION_MISSING:
        return exam.failed(f"The app's run {proof.run_id} was refused by Graph: {proof.message}", mend, proof.code)
    if proof and proof.outcome in _USED and (proof.learner_part or not patient.connection.learner_sync):
        return exam.passed(f"The app's run {proof.run_id} did with its own roles what they are for.")
    return exam.skipped(
        "You are signed in as a person, and an app's roles stand in its own token only; no run has shown them yet.",
        f"See in Entra that the app's managed identity has {', '.join(needed)}, or run this check again after a sync.",
    )


def _provider(patient: Patient, answer: Answer) -> Check:
    """Judge what was said to the question for the provider, which only a person may ask."""
    exam, code = patient.app("provider"), Code.PROVIDER_NOT_ENABLED
    if answer.status == HTTPStatus.OK:
        if answer.body.get("isCourseActivitySyncEnabled"):
            return exam.passed("The learning provider is registered, and its course activity sync is on.")
        told = "The learning provider is registered, but its isCourseActivitySyncEnabled is off."
        if patient.connection.learner_sync:
            return exam.failed(f"{told} No assignment and no completion can be sent.", _PROVIDER_MEND, code)
        return exam.warned(f"{told} Learner sync will need it.", _PROVIDER_MEND)
    if answer.status not in _REFUSED:
        return exam.failed(f"Graph knows no such learning provider ({answer.status}).", _PROVIDER_MEND, code)
    caller = patient.parts.caller()
    return _proven_provider(patient, caller) if caller is None or caller.scopes else _read_contents(patient)


def _read_contents(patient: Patient) -> Check:
    """Ask as the app."""
    exam = patient.app("provider")
    status = _ask(patient, f"{_provider_path(patient)}/learningContents").status
    if status == HTTPStatus.OK:
        return exam.passed(
            "The app reads the provider's contents. Whether course activity sync is on, only a person may read."
        )
    if status in _REFUSED:
        return exam.failed(
            "Graph refused the app the provider's contents.",
            f"{EXPLANATIONS[Code.GRAPH_PERMISSION_MISSING].mend} The tenant also needs a Viva Learning licence.",
            Code.GRAPH_PERMISSION_MISSING,
        )
    told = f"Graph does not take the provider for an enabled one of this tenant ({status})."
    return exam.failed(told, _PROVIDER_MEND, Code.PROVIDER_NOT_ENABLED)


def _proven_provider(patient: Patient, caller: Caller | None) -> Check:
    exam, proof = patient.app("provider"), find_proof(patient)
    if proof and proof.code is Code.PROVIDER_NOT_ENABLED:
        return exam.failed(f"The app's run {proof.run_id} was refused: {proof.message}", _PROVIDER_MEND, proof.code)
    if proof and proof.outcome in _USED:
        return exam.passed(f"You may not read the provider, but the app's run {proof.run_id} published with it.")
    asked = "the scope LearningProvider.Read, a Viva licence and the role Knowledge Administrator"
    return exam.skipped(
        "You may not read the learning provider, and no run has used it yet.",
        f"Reading it takes {asked}; `lms provider register` signs you in for that, and finds it by its name."
        if caller
        else "Sign in as a person, for example with `az login`.",
    )


def _licence(patient: Patient) -> Check:
    exam = patient.app("licence plan")
    plans = {plan.lower() for plan in patient.connection.viva.licence_service_plan_ids}
    if not plans:
        return exam.skipped(
            "viva.licence_service_plan_ids is empty: who has no licence is found out by Graph's refusal.",
            "Put in the premium plan's id from `GET /subscribedSkus`, and nothing is sent for those without it.",
        )
    mend = "Take the id of the premium plan (Viva Learning or Viva Suite) from `GET /subscribedSkus` of your tenant."
    if plans == {SEEDED_SERVICE_PLAN_ID}:
        return exam.failed("The only plan is the seeded one, which does not let learners receive records.", mend)
    answer = _ask(patient, "/subscribedSkus")
    if answer.status in _REFUSED:
        return _licensed_users(patient, plans, mend)
    if answer.status != HTTPStatus.OK:
        return exam.skipped(f"Graph did not tell the tenant's licences ({answer.status}).", "Try again later.")
    known = {str(plan.get("servicePlanId")).lower() for sku in _values(answer) for plan in sku.get("servicePlans", ())}
    if missing := plans - known:
        return exam.failed(f"The tenant has no service plan {', '.join(sorted(missing))}.", mend)
    return exam.passed("The tenant has the service plans that learners need.")


def _licensed_users(patient: Patient, plans: set[str], mend: str) -> Check:
    """Look at the licences of some users instead: reading the tenant's takes a right that the app has no need of."""
    exam = patient.app("licence plan")
    answer = _ask(patient, f"/users?$select=id,assignedPlans&$top={PAGE_SIZE}")
    if answer.status != HTTPStatus.OK:
        return exam.skipped(
            f"Neither licences nor users may be read ({answer.status}).",
            "Ask as somebody who may read the tenant's licences (LicenseAssignment.Read.All).",
        )
    users = _values(answer)
    held = [{str(plan.get("servicePlanId")).lower() for plan in user.get("assignedPlans", ())} for user in users]
    count = sum(bool(each & plans) for each in held)
    told = f"{count} of the first {len(users)} users have one of the service plans that learners need."
    return exam.passed(told) if count else exam.warned(told, mend)


def _values(answer: Answer) -> list[dict[str, Any]]:
    found = answer.body.get("value")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
