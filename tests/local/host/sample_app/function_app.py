"""A function app that lets a test see what the host does to it: what it notices goes to `seen-...` queues."""  # noqa: INP001 - a folder of its own, as in Azure

import json
import threading
from collections import Counter
from typing import List  # noqa: UP035 - the worker refuses `list[str]` in an annotation

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blobs

STORAGE = "AzureWebJobsStorage"

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
together = threading.Barrier(4, timeout=10)
tries: Counter[str] = Counter()


def _note(seen: func.Out[str], **facts: object) -> None:
    seen.set(json.dumps(facts))


@app.timer_trigger(arg_name="timer", schedule="%YEARLY%")
@app.queue_output(arg_name="seen", queue_name="seen-timer", connection=STORAGE)
def past_due(timer: func.TimerRequest, seen: func.Out[str]) -> None:
    """Tell whether it came late."""
    _note(seen, past_due=timer.past_due)


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
@app.queue_output(arg_name="seen", queue_name="seen-disabled", connection=STORAGE)
def switched_off(timer: func.TimerRequest, seen: func.Out[str]) -> None:  # noqa: ARG001 - a timer needs one
    """Run at start, were it not disabled."""
    _note(seen, ran=True)


@app.queue_trigger(arg_name="message", queue_name="four", connection=STORAGE)
@app.queue_output(arg_name="seen", queue_name="seen-four", connection=STORAGE)
def four_at_once(message: func.QueueMessage, seen: func.Out[str]) -> None:
    """Return only when four of it are running."""
    together.wait()
    _note(seen, body=message.get_body().decode(), dequeue_count=message.dequeue_count, id=message.id)


@app.queue_trigger(arg_name="message", queue_name="failing", connection=STORAGE)
@app.queue_output(arg_name="seen", queue_name="seen-failing", connection=STORAGE)
def failing(message: func.QueueMessage, seen: func.Out[str]) -> None:
    """Fail; what was put out before must not arrive."""
    _note(seen, dequeue_count=message.dequeue_count)
    raise ValueError("on purpose")


@app.queue_trigger(arg_name="message", queue_name="stuck", connection=STORAGE)
def stuck(message: func.QueueMessage) -> None:  # noqa: ARG001 - a trigger needs one
    """Never return."""
    threading.Event().wait()


@app.queue_trigger(arg_name="message", queue_name="fan-out", connection=STORAGE)
@app.queue_output(arg_name="several", queue_name="several", connection=STORAGE)
@app.queue_output(arg_name="one", queue_name="several", connection=STORAGE)
async def fan_out(message: str, several: func.Out[List[str]], one: func.Out[func.QueueMessage]) -> None:  # noqa: UP006 - see above
    """Put out a list, and a whole message."""
    several.set([message, message.upper()])
    one.set(func.QueueMessage(body="whole"))


@app.blob_trigger(arg_name="blob", path="sample-inbox/{folder}/{name}.txt", connection=STORAGE)
@app.queue_output(arg_name="seen", queue_name="seen-blob", connection=STORAGE)
def on_bytes(blob: func.InputStream, seen: func.Out[str]) -> None:
    """Read a blob; fail if it says so."""
    content = blob.read().decode()
    tries[content] += 1
    if content == "fail always" or (content == "fail at first" and tries[content] == 1):
        raise ValueError("on purpose")
    _note(seen, content=content, name=blob.name, tries=tries[content])


@app.blob_trigger(arg_name="client", path="%SEALED%/{name}", connection=STORAGE, source=func.BlobSource.EVENT_GRID)
@app.queue_output(arg_name="seen", queue_name="seen-client", connection=STORAGE)
def on_client(client: blobs.BlobClient, seen: func.Out[str]) -> None:
    """Read a blob through the SDK."""
    _note(seen, content=client.download_blob().readall().decode(), name=client.blob_name)


@app.route("open", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def open_to_all(req: func.HttpRequest) -> str:
    """Answer anybody."""
    return str(req.method)


@app.route("hello/{name}", methods=["GET", "POST"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    """Greet."""
    if req.params.get("fail"):
        raise ValueError("on purpose")
    text = f"{req.method} {req.route_params['name']} {req.params.get('q')} {req.get_body().decode()}"
    headers = {"X-Sample": "yes", "Set-Cookie": "visit=1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"}
    return func.HttpResponse(text, status_code=201, headers=headers)
