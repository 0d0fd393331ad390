"""Where the host's settings come from, and which wins."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from infra.local.host.blobs import BlobPath
from infra.local.host.protos import TypedData
from infra.local.host.settings import HostError, Settings, load_settings
from infra.local.host.web import Route
from infra.local.host.worker import Function


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with a `host.json` that says nothing."""
    tmp_path.joinpath("host.json").write_text('{"version": "2.0"}')
    return tmp_path


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test sets is undone: the host writes into the environment of its process."""
    monkeypatch.setattr(os, "environ", os.environ.copy())


def test_what_host_json_does_not_say_is_as_documented(app: Path) -> None:
    queues = load_settings(app).queues

    assert (queues.batch_size, queues.max_dequeue_count, queues.message_encoding) == (16, 5, "base64")
    assert queues.max_polling_interval == timedelta(minutes=1)
    assert queues.threshold == 8 * (os.process_cpu_count() or 1)


def test_a_variable_overrides_host_json(app: Path) -> None:
    """Whatever the case of its name."""
    queues = {
        "batchSize": 2,
        "newBatchThreshold": 0,
        "messageEncoding": "None",
        "visibilityTimeout": "00:00:30",
    }
    app.joinpath("host.json").write_text(json.dumps({"extensions": {"queues": queues}}))
    os.environ["AzureFunctionsJobHost__extensions__queues__batchSize"] = "8"  # noqa: SIM112 - as people write it
    os.environ["AZUREFUNCTIONSJOBHOST__EXTENSIONS__BLOBS__MAXDEGREEOFPARALLELISM"] = "1"

    settings = load_settings(app)

    assert (settings.queues.batch_size, settings.queues.threshold) == (8, 0)
    assert settings.queues.message_encoding == "none"
    assert settings.queues.visibility_timeout == timedelta(seconds=30)
    internal = settings.blobs.as_queue(timedelta(seconds=1))
    assert internal.batch_size + internal.threshold == 1


@pytest.mark.parametrize(
    ("queues", "reason"),
    [({"batchSize": 33}, "batchsize"), ({"maxPollingInterval": "soon"}, "maxpollinginterval")],
)
def test_a_value_out_of_bounds_is_refused(app: Path, queues: dict[str, object], reason: str) -> None:
    app.joinpath("host.json").write_text(json.dumps({"extensions": {"queues": queues}}))

    with pytest.raises(HostError, match=reason):
        load_settings(app)


def test_a_variable_wins_over_local_settings(app: Path) -> None:
    app.joinpath("local.settings.json").write_text('{"Values": {"MINE": "file", "OTHER": "file"}}')
    os.environ["MINE"] = "environment"
    os.environ["CONTAINER_NAME"] = "a-container"

    settings = load_settings(app)

    assert settings.resolve("%MINE%/%OTHER%") == "environment/file"
    assert "CONTAINER_NAME" not in os.environ


@pytest.mark.parametrize(
    ("name", "value", "disabled"),
    [
        ("AzureWebJobs.sweep.Disabled", "true", True),
        ("AzureWebJobs_sweep_Disabled", "1", True),
        ("AzureWebJobs.sweep.Disabled", "false", False),
        ("AzureWebJobs.other.Disabled", "true", False),
    ],
)
def test_a_function_is_disabled_by_either_spelling(name: str, value: str, *, disabled: bool) -> None:
    assert Settings({name: value}).is_disabled("sweep") is disabled


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(HostError, match="WHERE"):
        Settings({}).resolve("%WHERE%")
    with pytest.raises(HostError, match="AzureWebJobsStorage"):
        Settings({}).connection_string("")


@pytest.mark.parametrize(
    ("path", "blob", "captured"),
    [
        ("in/{name}", "a/b.txt", {"name": "a/b.txt"}),
        ("in/{connection}/{name}.pgp", "acme/x.zip.pgp", {"connection": "acme", "name": "x.zip"}),
        ("in/acme/{name}", "other/x", None),
        ("in/fixed.txt", "fixed.txt", {}),
        ("in", "whatever", {"name": "whatever"}),
    ],
)
def test_a_blob_path_captures_names(path: str, blob: str, captured: dict[str, str] | None) -> None:
    assert BlobPath.parse(path).captured(blob) == captured


@pytest.mark.parametrize("path", ["", "in/", "{container}/{name}", "in/{name}{name}"])
def test_what_is_no_blob_path_is_refused(path: str) -> None:
    with pytest.raises(HostError, match="Blob path"):
        BlobPath.parse(path)


@pytest.mark.parametrize(
    ("route", "address", "parameters"),
    [
        ("runs/{id:int}", "/api/runs/12", {"id": "12"}),
        ("runs/{id:int}", "/api/runs/x", None),
        ("runs/{id?}", "/api/runs", {"id": None}),
        ("files/{*path}", "/api/files/a/b", {"path": "a/b"}),
        (None, "/api/one/", {}),
    ],
)
def test_a_route_matches_as_documented(
    route: str | None, address: str, parameters: dict[str, str | None] | None
) -> None:
    trigger = {"type": "httpTrigger", "direction": "IN", "name": "req", "route": route}
    match = Route.of(Function("one", "id", [trigger]), "api").pattern.fullmatch(address)

    assert (match and match.groupdict()) == parameters


def test_a_message_never_shows_what_it_holds() -> None:
    """A log line that prints one must not print a person."""
    assert repr(TypedData(string="a person")) == "TypedData(string)"
