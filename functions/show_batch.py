"""When somebody asks what has become of a batch."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.route(
    trigger_arg_name="request", route="batches/{batch}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION
)
def show_batch(request: func.HttpRequest) -> func.HttpResponse:
    """Tell how a batch stands, with a count for every fate."""
    from shared.pipeline.write_back.requests import get_batch  # noqa: PLC0415 - paid by those who run

    reply = get_batch(wiring.parts(), request.route_params["batch"])
    return func.HttpResponse(reply.text, status_code=reply.status, headers=dict(reply.headers), mimetype=reply.media)
