"""When other software sends records for the LMS through the queue `records-in`."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.queue_trigger(arg_name="message", queue_name="records-in", connection="AzureWebJobsStorage")
def accept_records(message: func.QueueMessage) -> None:
    """Accept the batch that is the message."""
    from shared.pipeline.write_back.take_records import take_records  # noqa: PLC0415 - paid by those who run

    take_records(wiring.parts(), message.id or "", message.get_body())
