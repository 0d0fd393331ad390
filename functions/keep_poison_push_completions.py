"""When a message of the queue `push-completions` has failed too often: the host puts it aside, and we keep it."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.queue_trigger(arg_name="message", queue_name="push-completions-poison", connection="AzureWebJobsStorage")
def keep_poison_push_completions(message: func.QueueMessage) -> None:
    """Keep the message, so that somebody can see it and put it back."""
    from shared.domain.messages import PUSH_COMPLETIONS  # noqa: PLC0415 - paid by those who run
    from shared.pipeline.keep_poison import keep_poison  # noqa: PLC0415 - the same

    keep_poison(wiring.parts(), PUSH_COMPLETIONS, message.id or "", message.get_body(), message.insertion_time)
