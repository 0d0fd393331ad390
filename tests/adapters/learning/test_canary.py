"""Nobody who learns stands in an error, a log record or a repr, whatever goes wrong."""

import logging
import traceback

import pytest

from infra.local.learning.faults import Faults
from infra.local.learning.web import Answer
from shared.domain.errors import ConnectorError
from tests.adapters.learning.conftest import MakeScene
from tests.adapters.learning.scene import UNKNOWN, Scene, completion
from tests.company import ADA, BEA, betrays

SAID = f"{ADA.student} ({ADA.email}, {ADA.key}) does this not please"

TROUBLE: dict[str, Faults | Answer] = {
    "nothing": Faults(),
    "a pause": Faults(throttle=1, area="completions"),
    "a failure": Faults(fail=1, area="completions"),
    "a cut": Faults(cut=1, area="completions"),
    "a page": Faults(unreadable=1, area="completions"),
    "a failed row": Faults(refuse_rows=1),
    "another address": Faults(fail=1, fail_status=302, area="completions"),
    "a refusal": Answer(400, {"error": {"message": SAID, "code": ADA.student}}),
    "no right": Answer(403, {"error": {"message": SAID}}),
    "no path": Answer(404, {"message": SAID}),
    "a failure inside": Answer(201, {"userID": ADA.student, "errorMessage": SAID, "errors": [SAID]}),
    "a conflict": Answer(409, {"message": SAID}),
    "a bad gateway": Answer(502, {"message": SAID}),
}


def everything_about(error: BaseException | None) -> str:
    """All that a careless handler could print of an error."""
    told = []
    while error is not None:
        told += [str(error), repr(error), *map(str, error.args), *traceback.format_exception_only(error)]
        error = error.__cause__
    return "\n".join(told)


@pytest.mark.parametrize("kind", ["successfactors", "successfactors, as learner", "stackone"])
@pytest.mark.parametrize(
    ("trouble", "learner"),
    [*((trouble, ADA.student) for trouble in TROUBLE), ("nothing", BEA.student), ("nothing", UNKNOWN)],
)
def test_nobody_is_named(
    make_scene: MakeScene, kind: str, trouble: str, learner: str, caplog: pytest.LogCaptureFixture
) -> None:
    name, _, as_learner = kind.partition(", ")
    scene = make_scene(name)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    scene.offer("C-1")
    scene.target_settings = {"completions_as": "learner"} if as_learner else {}
    fault = TROUBLE[trouble]
    if isinstance(fault, Answer):
        scene.simulator.front.answer_next("completions", fault)
    else:
        scene.simulator.inject(fault)

    told = [repr(completion(learner)), str(completion(learner))]
    try:
        told.append(repr(scene.send(completion(learner))))
    except ConnectorError as error:
        told.append(everything_about(error))
        told.append("".join(traceback.format_exception(error)))

    said = [*told, *(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)]
    assert [found for each in said for found in betrays(each)] == []


@pytest.mark.parametrize("trouble", ["a pause", "a failure", "a cut", "a page"])
def test_nobody_is_named_by_a_search(scene: Scene, trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever is looked up stands in the address of the request."""
    caplog.set_level(logging.DEBUG)
    fault = TROUBLE[trouble]
    assert isinstance(fault, Faults)
    told = []
    for ask in ("find_users", "is_recorded", "list_inactive"):
        scene.simulator.inject(fault.model_copy(update={"area": "reads"}))
        with scene.session() as target:
            try:
                if ask == "find_users":
                    target.find_users(ADA.key)
                elif ask == "is_recorded":
                    target.is_recorded(completion())
                else:
                    list(target.list_inactive())
            except ConnectorError as error:
                told.append(everything_about(error))
                told.append("".join(traceback.format_exception(error)))

    assert len(told) == 6
    said = [*told, *(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)]
    assert [found for each in said for found in betrays(each)] == []


def test_the_canary_can_be_heard(scene: Scene) -> None:
    """The word is in what is sent, so that a test that finds it nowhere has looked at something."""
    scene.offer("C-1")
    scene.send(completion())

    assert betrays(str(scene.simulator.seen("completions")))
