"""When learners are mapped and pushes are planned: when a package has been processed."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.queue_trigger(arg_name="message", queue_name="map-learners", connection="AzureWebJobsStorage")
def map_learners(message: func.QueueMessage) -> None:
    """Map the learners of a run, pass the gates, and plan what is sent."""
    from shared.domain.messages import MapLearners  # noqa: PLC0415 - paid by those who run
    from shared.pipeline import map_learners as use_case  # noqa: PLC0415 - the same

    use_case.map_learners(wiring.parts(), MapLearners.model_validate_json(message.get_body()))
