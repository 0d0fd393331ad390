"""When completions are sent in over HTTP."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.route(trigger_arg_name="request", route="completions", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
def accept_completions(request: func.HttpRequest) -> func.HttpResponse:
    """Accept a batch, and say where to look what becomes of it."""
    from shared.domain.batches import Kind  # noqa: PLC0415 - paid by those who run
    from shared.pipeline.write_back.requests import post_batch  # noqa: PLC0415 - the same

    reply = post_batch(wiring.parts(), Kind.COMPLETIONS, request.get_body(), request.headers, request.params)
    return func.HttpResponse(reply.text, status_code=reply.status, headers=dict(reply.headers), mimetype=reply.media)
