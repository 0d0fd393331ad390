"""Who is on call hears when nothing can be sent back to the LMS."""

import json
from datetime import timedelta

from shared.domain.batches import Kind
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.messages import PushCompletions
from shared.pipeline.write_back.push import push_completions
from shared.pipeline.write_back.requests import post_batch
from tests.alerts.conftest import OnCall
from tests.desk import NAME
from tests.write_back.conftest import WRITE_BACK, completion


def test_a_login_that_is_refused_is_told_once_and_an_lms_that_is_away_after_an_hour(on_call: OnCall) -> None:
    desk = on_call.tenant.desk
    desk.set(write_back=WRITE_BACK)
    body = json.dumps({"records": [completion(1)]}).encode()
    assert post_batch(desk.parts, Kind.COMPLETIONS, body, {}, {}).status == 202

    def push(*errors: SettingsError | TransientError) -> list[str]:
        desk.lms.refuse = list(errors)
        desk.pass_time(timedelta(minutes=20).total_seconds())
        push_completions(desk.parts, PushCompletions(connection=NAME))
        return on_call.hears("stuck")

    (told,) = push(SettingsError("The login was refused.", Code.INVALID_CREDENTIALS))
    assert Code.INVALID_CREDENTIALS in told
    assert push(SettingsError("The login was refused.", Code.INVALID_CREDENTIALS)) == []
    heard = [push(TransientError("No answer.", Code.LMS_UNREACHABLE)) for _ in range(5)]
    assert [len(each) for each in heard] == [0, 0, 0, 1, 0]
    assert push() == []
    assert len(desk.lms.history) == 1
