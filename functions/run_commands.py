"""When a command is run: as soon as it is in its queue."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.queue_trigger(arg_name="message", queue_name="commands", connection="AzureWebJobsStorage")
def run_commands(message: func.QueueMessage) -> None:
    """Do what an admin or the connector itself asks for."""
    from shared.domain.messages import COMMAND  # noqa: PLC0415 - paid by those who run
    from shared.pipeline.run_commands import run_command  # noqa: PLC0415 - the same

    run_command(wiring.parts(), COMMAND.validate_json(message.get_body()))
