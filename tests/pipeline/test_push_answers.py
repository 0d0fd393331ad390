"""What becomes of a record by what Graph answers to it."""

from collections.abc import Sequence

import pytest

from infra.local.graph import Faults
from shared.domain.errors import Code, SettingsError
from shared.domain.messages import Stage
from shared.domain.plan import Verdict
from shared.pipeline.push_calls import is_same
from shared.pipeline.push_records import push_shard
from shared.ports import Answer, Call
from tests.fakes import MemoryLeases
from tests.pipeline.push_tenant import (
    CONNECTION,
    LEARNER,
    NOW,
    UNLICENSED,
    Tenant,
    Told,
    delete_activity,
    upsert_content,
)

ACTIVITY = {
    "@odata.type": "#microsoft.graph.learningAssignment",
    "learnerUserId": LEARNER,
    "learningContentId": "c1",
}


def too_long(**limits: int) -> Answer:
    """Graph's answer to texts that are longer than these."""
    named = [f"Input field {name} length exceeded than {limit}" for name, limit in limits.items()]
    return Answer(status=400, body={"error": {"message": ". ".join(named)}})


def test_a_learner_without_a_licence_is_asked_about_once(tenant: Tenant) -> None:
    (old,) = tenant.ids("licence-old")
    creates = [tenant.create(number, f"licence-{number}", UNLICENSED) for number in range(30)]
    delete = delete_activity(30, "licence-old", old).model_copy(update={"person": 2})
    message = tenant.plan([*creates, delete])
    tenant.simulator.reset_counters()

    assert tenant.push(message).done

    assert tenant.verdicts(message) == [Verdict.UNLICENSED] * 30 + [Verdict.DONE]
    assert tenant.simulator.counters().items == 21 - 1, "a lone delete goes without a batch"


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (Faults(no_service_plan=True), Code.GRAPH_PERMISSION_MISSING),
        (Faults(refuse_learning=True), Code.GRAPH_PERMISSION_MISSING),
        (Faults(reject_tokens=2), Code.GRAPH_PERMISSION_MISSING),
        (Faults(provider_disabled=True), Code.PROVIDER_NOT_ENABLED),
    ],
)
def test_a_wrong_setting_stops_the_run_at_its_first_call(tenant: Tenant, faults: Faults, code: Code) -> None:
    """Once it is mended, the same shard goes on."""
    message = tenant.plan([tenant.create(number, f"{code}-{id(faults)}-{number}") for number in range(45)])
    tenant.simulator.inject(faults)
    tenant.simulator.reset_counters()

    with pytest.raises(SettingsError) as caught:
        tenant.push(message)

    assert caught.value.code is code
    assert tenant.simulator.counters().requests <= 2
    tenant.simulator.inject(Faults())
    assert tenant.push(message).done


def test_receipts_before_a_stop_are_kept(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(number, f"kept-{number}") for number in range(25)])
    graph = tenant.graph

    class Refusing:
        pages = graph.pages
        sent = 0

        def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
            self.sent += 1
            return graph.send(calls, batch=batch) if self.sent == 1 else [Answer(status=403)] * len(calls)

    with pytest.raises(SettingsError):
        push_shard(
            message,
            connection=CONNECTION,
            shards=tenant.shards,
            graph=Refusing(),
            leases=MemoryLeases(),
            now=NOW,
        )

    assert len(tenant.receipts(message)) == 20


def test_a_content_is_found_when_its_answer_has_no_id(tenant: Tenant) -> None:
    message = tenant.plan([upsert_content(0, "bare 'quoted' 100%")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(upsert_body_without_id=True))

    assert tenant.push(message).done

    assert tenant.receipts(message)[0].graph_id == tenant.held("externalId")["bare 'quoted' 100%"]["id"]


def test_a_content_that_is_not_visible_yet_has_no_receipt_yet(tenant: Tenant) -> None:
    """Without its id nothing can refer to it."""
    message = tenant.plan([upsert_content(0, "hidden")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(upsert_body_without_id=True, hidden_contents=1))

    assert not tenant.push(message).done

    assert tenant.receipts(message) == {}
    assert tenant.push(message).done


def test_a_long_title_is_cut_to_what_graph_takes(tenant: Tenant) -> None:
    operations = [upsert_content(number, f"long-{number}", title="ä" * 50) for number in range(25)]
    message = tenant.plan(operations, Stage.CONTENTS)
    tenant.simulator.inject(Faults(max_lengths={"title": 12}))
    tenant.simulator.reset_counters()

    assert tenant.push(message).done

    assert tenant.held("externalId")["long-7"]["title"] == "ä" * 12
    assert tenant.simulator.counters().items == 20 + 20 + 5, "the limit is learned once"


def test_another_long_field_is_refused(tenant: Tenant) -> None:
    """Half an address would lead nowhere."""
    message = tenant.plan([upsert_content(0, "url")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(max_lengths={"contentWebUrl": 5}))

    assert tenant.push(message).done

    assert tenant.receipts(message)[0].reason == "Graph answered 400: too long (contentWebUrl)"


def test_a_title_that_is_too_long_when_it_has_been_cut_is_refused(tenant: Tenant) -> None:
    message = tenant.plan([upsert_content(0, "endless")], Stage.CONTENTS)
    graph = Told(tenant, *[too_long(title=5)] * 10)

    assert tenant.push(message, graph=graph).done

    assert len(graph.sent) == 2
    assert tenant.receipts(message)[0].reason == "Graph answered 400: too long (title)"


@pytest.mark.parametrize(
    "answers",
    [[too_long(title=5), too_long(description=9)], [too_long(title=5, description=9)]],
    ids=["one after the other", "together"],
)
def test_title_and_description_are_both_cut(tenant: Tenant, answers: list[Answer]) -> None:
    """Graph may name several fields in one answer; nothing says that it always does."""
    key = f"both-{len(answers)}"
    texts = {"title": "ä" * 50, "description": "ö" * 50}
    message = tenant.plan([upsert_content(0, key, **texts)], Stage.CONTENTS)

    assert tenant.push(message, graph=Told(tenant, *answers)).done

    assert tenant.verdicts(message) == [Verdict.DONE]
    held = tenant.held("externalId")[key]
    assert (held["title"], held["description"]) == ("ä" * 5, "ö" * 9)


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (ACTIVITY, True),
        ({name: value.upper() for name, value in ACTIVITY.items()}, True),
        ({name: value for name, value in ACTIVITY.items() if name != "@odata.type"}, True),
        (ACTIVITY | {"@odata.type": "#microsoft.graph.learningSelfInitiatedCourse"}, False),
        (ACTIVITY | {"learnerUserId": UNLICENSED}, False),
        (ACTIVITY | {"learningContentId": "c2"}, False),
    ],
)
def test_an_activity_is_changed_only_if_its_kind_learner_and_content_are_right(
    found: dict[str, str], *, same: bool
) -> None:
    """The service spells ids as it likes, and may leave out the type where it is clear."""
    assert is_same(found, {**ACTIVITY, "status": "completed"}) is same


def test_an_update_finds_an_activity_whose_id_is_stale(tenant: Tenant) -> None:
    tenant.ids("stale")
    message = tenant.plan([tenant.update(0, "stale", "wrong:id/../x", status="inProgress")])

    assert tenant.push(message).done

    held = tenant.held()["stale"]
    assert (held["status"], held["id"]) == ("inProgress", tenant.receipts(message)[0].graph_id)


def test_an_update_of_a_lost_activity_makes_it_again(tenant: Tenant) -> None:
    message = tenant.plan([tenant.update(0, "lost", "no-such-id", status="completed")])

    assert tenant.push(message).done

    assert tenant.held()["lost"]["status"] == "completed"


def test_deleting_what_is_gone_is_done(tenant: Tenant) -> None:
    message = tenant.plan([delete_activity(0, "never", "no-such-id")])

    assert tenant.push(message).done
    assert tenant.verdicts(message) == [Verdict.DONE]


def test_a_method_that_is_refused_is_tried_in_its_other_spelling(tenant: Tenant) -> None:
    """Graph's pages and its metadata spell the same call differently."""
    changed, gone = tenant.ids("spelled-1", "spelled-2")
    operations = [delete_activity(0, "spelled-2", gone), tenant.update(1, "spelled-1", changed, status="completed")]
    message = tenant.plan(operations)
    graph = Told(tenant, Answer(status=405), Answer(status=204), Answer(status=405))

    assert tenant.push(message, graph=graph).done

    assert [call.path.rpartition("/")[2] for call in graph.sent[1:2]] == ["$ref"]
    assert tenant.held()["spelled-1"]["status"] == "completed"


def test_a_riddle_that_stays_is_taken_for_a_missing_permission(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(0, "riddle")])
    riddle = Answer(status=403, body={"error": {"code": "UnknownError", "message": ""}})

    with pytest.raises(SettingsError, match="app roles"):
        tenant.push(message, graph=Told(tenant, riddle, riddle, riddle))


def test_an_activity_that_was_made_unseen_keeps_its_id_when_its_learner_lost_the_licence(
    tenant: Tenant,
) -> None:
    """Otherwise the next plan would make a second one."""
    message = tenant.plan([tenant.create(0, "unseen")])
    tenant.simulator.inject(Faults(fail_after_applying=1))
    refusal = Answer(status=403, body={"error": {"message": "User License is not valid"}})

    tenant.push(message, graph=Told(tenant, None, None, refusal))

    receipt = tenant.receipts(message)[0]
    assert (receipt.verdict, receipt.graph_id) == (Verdict.UNLICENSED, tenant.held()["unseen"]["id"])


@pytest.mark.parametrize(
    "answers",
    [(Answer(status=503),), (Answer(status=500), Answer(status=429))],
    ids=["it was unavailable", "looking whether it is there was throttled"],
)
def test_a_create_that_may_have_been_carried_out_is_looked_up_before_it_is_sent_again(
    tenant: Tenant, answers: Sequence[Answer]
) -> None:
    """Only to be throttled oneself means that nothing was done."""
    message = tenant.plan([tenant.create(0, f"perhaps-{len(answers)}")])
    assert not tenant.push(message, graph=Told(tenant, *answers)).done
    graph = Told(tenant)

    assert tenant.push(message, graph=graph).done

    assert [call.method for call in graph.sent] == ["GET", "POST"]


def test_a_record_that_keeps_failing_while_others_do_not_is_given_up(tenant: Tenant) -> None:
    """One record must not hold up the run; its reject says why it is missing."""
    message = tenant.plan([upsert_content(0, "hopeless"), upsert_content(1, "fine")], Stage.CONTENTS)
    failure = Answer(status=500)
    tenant.push(message, graph=Told(tenant, failure, None, failure, failure))

    attempts = 2
    while not tenant.push(message, graph=Told(tenant, failure, failure, failure)).done:
        attempts += 1

    assert attempts == 7
    assert tenant.verdicts(message) == [Verdict.REJECTED, Verdict.DONE]
    assert tenant.receipts(message)[0].code is Code.GRAPH_UNAVAILABLE
