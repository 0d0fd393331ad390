"""From a queue to `lms poison` and back, as in Azure: the whole app in a functions host, over an emulated account."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.connection import NAME
from infra.local.given import Given
from infra.local.tenant import Tenant
from shared.domain.messages import PUSH_RECORDS, PushRecords, Stage
from shared.pipeline.keep_poison import PACKAGES, list_poison, replay_message

PATIENCE_SECONDS = 90

pytestmark = pytest.mark.slow


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.2)


def test_what_fails_in_every_try_is_kept_by_the_app_itself(tmp_path: Path) -> None:
    """A message of a run that nobody knows, and a package of a connection that is none; put back, they fail again."""
    body = PushRecords(connection=NAME, run_id="20261101T060000-00000000", stage=Stage.CONTENTS, shard=0)
    with Tenant(tmp_path / "state", datetime(2026, 11, 9, 8, tzinfo=UTC)) as tenant:
        tenant.configure(Given())
        parts = tenant.parts
        parts.messages.send(PUSH_RECORDS, body.model_dump_json())
        parts.messages.send(PUSH_RECORDS, '{"name": "somebody"}')
        tenant.start_worker()
        wait_for(lambda: len(list_poison(parts)) == 2)
        ours, strange = sorted(list_poison(parts), key=lambda each: each.body, reverse=True)

        assert (ours.queue, ours.connection, ours.run_id, ours.body) == (
            PUSH_RECORDS,
            NAME,
            body.run_id,
            body.model_dump_json(),
        )
        assert (strange.queue, strange.connection, strange.body) == (PUSH_RECORDS, "", "")
        replay_message(parts, ours.message)
        wait_for(lambda: len(list_poison(parts)) == 3)
        assert [each.message for each in list_poison(parts) if each.replayed_at] == [ours.message]
        # A notice as the host writes it; its first part names a connection whose settings nobody knows.
        notice = '{"Type":"BlobTrigger","ContainerName":"sealed","BlobName":"gone/1/x.pgp","ETag":"0x1"}'
        parts.messages.send(f"{PACKAGES}-poison", notice)
        wait_for(lambda: PACKAGES in {each.queue for each in list_poison(parts)})
        tenant.stop_worker()
