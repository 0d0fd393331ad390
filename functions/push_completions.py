"""When completions and courses are sent to the LMS: a message when some have come, or when the pace allows more."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.queue_trigger(arg_name="message", queue_name="push-completions", connection="AzureWebJobsStorage")
def push_completions(message: func.QueueMessage) -> None:
    """Send what waits in the outbox of a connection, as far as the pace allows."""
    from shared.domain.messages import PushCompletions  # noqa: PLC0415 - paid by those who run
    from shared.pipeline.write_back.push import push_completions as use_case  # noqa: PLC0415 - the same

    use_case(wiring.parts(), PushCompletions.model_validate_json(message.get_body()))
