"""What Viva Learning shows although the connection remembers nothing: its memory was lost, or was never this one's.

Creating an activity is not idempotent at Graph. A connection that begins anew over a provider that has contents looks
up every activity before it creates it, so that a full package heals what was lost and nobody sees a course twice.
"""

import logging
from http import HTTPStatus

from shared.domain.state import State
from shared.pipeline import journal
from shared.pipeline.push_calls import Calls
from shared.pipeline.run_data import RunData

log = logging.getLogger(__name__)


def note_forgotten(data: RunData) -> None:
    """See that the first pushes look before they create, unless Viva Learning says that it holds nothing."""
    state = data.state
    if state.look_up_first or state.contents_path or state.activities_parts:
        return
    (answer,) = data.parts.graph.send([Calls(data.connection.viva.provider_id).list_contents()], batch=False)
    if answer.status == HTTPStatus.OK and not answer.body.get("value"):
        return
    # Also when Graph did not say: to look in vain costs a request a record, once.
    log.info("push.looks_first connection=%s run=%s status=%d", data.run.connection, data.run.run_id, answer.status)
    journal.change_state(data.parts, data.run.connection, _look_first)


def _look_first(state: State) -> State:
    return state.model_copy(update={"look_up_first": True})
