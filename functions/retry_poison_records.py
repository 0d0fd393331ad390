"""When a message of the queue `records-in` has failed too often.

It holds people's data, so that it is not kept elsewhere: it is tried again for as long as its queue keeps it.
"""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.queue_trigger(arg_name="message", queue_name="records-in-poison", connection="AzureWebJobsStorage")
def retry_poison_records(message: func.QueueMessage) -> None:
    """Accept the batch after all, once that is possible."""
    from shared.pipeline.write_back.take_records import take_records  # noqa: PLC0415 - paid by those who run

    take_records(wiring.parts(), message.id or "", message.get_body())
