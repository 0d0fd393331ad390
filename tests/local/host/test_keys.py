"""Who may call an HTTP function, and with how much."""

from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from tests.local.host.conftest import StartHost, only

LIMIT_BYTES = 1000


@pytest.fixture
def web(start_host: StartHost) -> Iterator[httpx.Client]:
    """The functions of a host that asks for a key."""
    more = {"LOCAL_HOST_FUNCTION_KEY": "open sesame", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": str(LIMIT_BYTES)}
    address = start_host(**only("hello", "open_to_all"), **more).expect(r"hello: (\S+)/hello")[1]
    with httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def test_only_who_has_the_key_is_let_in(web: httpx.Client) -> None:
    """In a header or in the address, as the real host takes it; what is not there is not there for anybody."""
    key = {"x-functions-key": "open sesame"}

    assert web.get("/hello/you").status_code == HTTPStatus.UNAUTHORIZED
    assert web.get("/hello/you", headers={"x-functions-key": "open"}).status_code == HTTPStatus.UNAUTHORIZED
    assert web.get("/hello/you", headers=key).status_code == HTTPStatus.CREATED
    assert web.get("/hello/you", params={"code": "open sesame"}).status_code == HTTPStatus.CREATED
    assert web.get("/open").status_code == HTTPStatus.OK
    assert web.get("/elsewhere").status_code == HTTPStatus.NOT_FOUND
    assert web.put("/hello/you", headers=key).status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_a_body_has_its_limit(web: httpx.Client) -> None:
    """And comes whole: this host takes no pieces."""
    key = {"x-functions-key": "open sesame"}

    assert web.post("/hello/you", headers=key, content=b"x" * LIMIT_BYTES).status_code == HTTPStatus.CREATED
    too_long = web.post("/hello/you", headers=key, content=b"x" * (LIMIT_BYTES + 1))
    assert too_long.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    in_pieces = web.post("/hello/you", headers=key, content=iter([b"x"]))
    assert in_pieces.status_code == HTTPStatus.LENGTH_REQUIRED
