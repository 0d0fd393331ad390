"""When a sealed package could not be handed over: the host puts the notice aside, and we keep it."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.queue_trigger(arg_name="message", queue_name="webjobs-blobtrigger-poison", connection="AzureWebJobsStorage")
def keep_poison_packages(message: func.QueueMessage) -> None:
    """Keep the message, so that somebody can see it and put it back."""
    from shared.pipeline.keep_poison import PACKAGES, keep_poison  # noqa: PLC0415 - paid by those who run

    keep_poison(wiring.parts(), PACKAGES, message.id or "", message.get_body(), message.insertion_time)
