"""When records are sent to Viva Learning: a message for every shard of a plan."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.queue_trigger(arg_name="message", queue_name="push-records", connection="AzureWebJobsStorage")
def push_records(message: func.QueueMessage) -> None:
    """Send one shard of a run's plan."""
    from shared.domain.messages import PushRecords  # noqa: PLC0415 - paid by those who run
    from shared.pipeline import push_records as use_case  # noqa: PLC0415 - the same

    use_case.push_records(wiring.parts(), PushRecords.model_validate_json(message.get_body()))
