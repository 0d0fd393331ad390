"""`POST /$batch`: up to 20 calls in one request, judged one by one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.graph.answers import Answer, RefusedError, bad_request, error
from infra.local.graph.calls import Call, NoBody, read_target

_MOST_ITEMS = 20
_METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}


@dataclass(frozen=True, slots=True)
class Item:
    """One call of a batch."""

    id: str
    method: str
    url: str
    body: Any
    depends_on: str | None


def answer_batch(body: object, answer: Callable[[Call], Answer]) -> Answer:
    """Carry out the calls in their order, and give the answers in the opposite one.

    Graph promises no order, so a caller that relies on one should find out here.

    Raises:
        RefusedError: 400, the batch as a whole is malformed and nothing was carried out.
    """
    items = _read_items(body)
    done: dict[str, Answer] = {}
    for item in items:
        if item.depends_on and done[item.depends_on].status >= 400:  # noqa: PLR2004 (where errors begin)
            done[item.id] = error(424, "FailedDependency", "A request that this one depends on has failed.")
            continue
        try:
            done[item.id] = answer(read_target(item.method, item.url, item.body))
        except RefusedError as refused:
            done[item.id] = refused.answer
    return Answer(200, {"responses": [_response(item, done[item.id]) for item in reversed(items)]})


def _response(item: Item, answer: Answer) -> dict[str, Any]:
    headers = dict(answer.headers)
    if answer.body is None:
        return {"id": item.id, "status": answer.status, "headers": headers}
    headers["Content-Type"] = "application/json"
    return {"id": item.id, "status": answer.status, "headers": headers, "body": answer.body}


def _read_items(body: object) -> list[Item]:
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise _malformed("Invalid batch payload format.")
    if len(requests) > _MOST_ITEMS:
        raise _malformed(f"Number of batch request steps exceeds the maximum value of {_MOST_ITEMS}.")
    items = list(map(_read_item, requests))
    if len({item.id.lower() for item in items}) < len(items):
        raise _malformed("The request ids of a batch must be unique.")
    _judge_dependencies(items)
    return items


def _read_item(request: object) -> Item:
    if not isinstance(request, dict):
        raise _malformed("Invalid batch payload format.")
    id_, method, url = (request.get(name) for name in ("id", "method", "url"))
    if not isinstance(id_, str) or not id_:
        raise _malformed("A request of the batch has no id.")
    if not isinstance(method, str) or method.upper() not in _METHODS:
        raise _malformed(f"Request {id_} has no valid method.")
    if not isinstance(url, str) or not url or "://" in url.partition("?")[0] or url.startswith("//"):
        raise _malformed(f"Request {id_} needs a relative url.")
    if url.strip("/").partition("?")[0] == "$batch":
        raise _malformed("A batch cannot be part of a batch.")
    headers = request.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(each, str) for each in headers.values()):
        raise _malformed(f"Headers of request {id_} are not valid.")
    has_body = request.get("body") is not None
    if has_body or method.upper() in ("POST", "PATCH", "PUT"):
        kind = {name.lower(): each for name, each in headers.items()}.get("content-type", "")
        if not has_body or not kind.lower().startswith("application/json"):
            raise _malformed(f"Write request id : {id_} does not contain Content-Type header or body.")
    body = request["body"] if has_body else NoBody
    return Item(id_, method.upper(), url, body, next(_dependencies(id_, request), None))


def _dependencies(id_: str, request: Mapping[str, Any]) -> Iterator[str]:
    names = request.get("dependsOn", [])
    # A known limit of Graph: one prerequisite at most.
    if not isinstance(names, list) or len(names) > 1 or not all(isinstance(each, str) for each in names):
        raise _malformed(f"The dependency of request {id_} is not supported.")
    yield from names


def _judge_dependencies(items: list[Item]) -> None:
    earlier: set[str] = set()
    for item in items:
        if item.depends_on and item.depends_on not in earlier:
            raise _malformed(f"Request {item.id} depends on a request that is not before it.")
        earlier.add(item.id)


def _malformed(message: str) -> RefusedError:
    return bad_request(message, code="BadRequest")
