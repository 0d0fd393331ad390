"""The host's settings: `host.json`, `local.settings.json` and the environment, read once at start."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

CORES = os.process_cpu_count() or 1
"""The real host scales some defaults with the cores of its machine."""
HOST_STORAGE = "AzureWebJobsStorage"
"""The setting that holds the host's own storage account."""
OVERRIDE = "azurefunctionsjobhost__"
"""An environment variable that starts so (in any case) replaces a value of `host.json`."""
TRUE = {"1", "true"}
BODY_LIMIT_BYTES = 104_857_600
"""Of the real host."""


class HostError(Exception):
    """The host cannot run this app: a person must change the app or a setting."""


class Options(BaseModel):
    """A section of `host.json`. Its names are matched without regard to case, as in .NET."""

    model_config = ConfigDict(frozen=True, alias_generator=lambda name: name.replace("_", ""))


class QueueOptions(Options):
    """`extensions.queues`."""

    batch_size: int = Field(default=16, ge=1, le=32)
    new_batch_threshold: int | None = Field(default=None, ge=0)
    max_dequeue_count: int = Field(default=5, ge=1)
    visibility_timeout: timedelta = Field(default=timedelta(), ge=timedelta(), le=timedelta(days=7))
    max_polling_interval: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(milliseconds=100))
    message_encoding: Literal["base64", "none"] = "base64"

    @property
    def threshold(self) -> int:
        """Fetch again when no more messages than this are running."""
        if self.new_batch_threshold is None:
            return self.batch_size // 2 * CORES
        return self.new_batch_threshold


class BlobOptions(Options):
    """`extensions.blobs`."""

    max_degree_of_parallelism: int = Field(default=8 * CORES, ge=1)
    poison_blob_threshold: int = Field(default=5, ge=1)

    def as_queue(self, polling: timedelta) -> QueueOptions:
        """Options of the queue of found blobs: never more at a time than `maxDegreeOfParallelism`."""
        batch = min(32, (self.max_degree_of_parallelism + 1) // 2)
        return QueueOptions.model_construct(
            batch_size=batch,
            new_batch_threshold=self.max_degree_of_parallelism - batch,
            max_dequeue_count=self.poison_blob_threshold,
            max_polling_interval=polling,
        )


class HttpOptions(Options):
    """`extensions.http`."""

    route_prefix: str = "api"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the host goes by. `environment` is the process's own, `local.settings.json` included."""

    environment: Mapping[str, str]
    queues: QueueOptions = field(default_factory=QueueOptions)
    blobs: BlobOptions = field(default_factory=BlobOptions)
    http: HttpOptions = field(default_factory=HttpOptions)

    @property
    def host_id(self) -> str:
        """Part of the paths of receipts and timer states, so that a restarted host knows what it did."""
        return self.environment.get("AzureFunctionsWebHost__hostid", "local")

    @property
    def blob_scan_seconds(self) -> float:
        """Seconds between two looks into a container."""
        return float(self.environment.get("LOCAL_HOST_BLOB_SCAN_SECONDS", "2"))

    @property
    def function_key(self) -> str:
        """The key that HTTP functions ask for; empty: they ask for none, as with Core Tools."""
        return self.environment.get("LOCAL_HOST_FUNCTION_KEY", "")

    @property
    def body_limit_bytes(self) -> int:
        """Most bytes of a request's body."""
        return int(self.environment.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", BODY_LIMIT_BYTES))

    def connection_string(self, connection: str) -> str:
        """Look up the storage account a binding names; none named means the host's own.

        Raises:
            HostError: there is no such setting.
        """
        name = connection or HOST_STORAGE
        for candidate in (f"AzureWebJobs{name}", name):
            if text := self.environment.get(candidate):
                return text
        raise HostError(f"Setting {name} is missing: it must hold a storage connection string.")

    def resolve(self, text: str) -> str:
        """Replace each `%NAME%` by the setting of that name.

        Raises:
            HostError: there is no such setting.
        """

        def value(match: re.Match[str]) -> str:
            try:
                return self.environment[match[1]]
            except KeyError:
                raise HostError(f"Setting {match[1]}, named by a trigger as %{match[1]}%, is missing.") from None

        return re.sub(r"%([^%\s]+)%", value, text)

    def is_disabled(self, function: str) -> bool:
        """Tell whether the function is switched off, in either spelling."""
        names = (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs_{function}_Disabled")
        return any(self.environment.get(name, "").lower() in TRUE for name in names)


def load_settings(app: Path) -> Settings:
    """Read the settings of the app in that folder, and put its `local.settings.json` into the environment.

    A variable that is already set wins. `CONTAINER_NAME` is removed: it would make the worker believe it is
    in Azure.

    Raises:
        HostError: a file cannot be read, or holds what the real host would refuse.
    """
    os.environ.pop("CONTAINER_NAME", None)
    for name, value in _local_values(app / "local.settings.json").items():
        os.environ.setdefault(name, value)
    extensions = _lowered(_read_json(app / "host.json")).get("extensions", {})
    for name, value in os.environ.items():
        if name.lower().startswith(f"{OVERRIDE}extensions__"):
            _, *path = name.lower().removeprefix(OVERRIDE).split("__")
            _override(extensions, path, value)
    queues = extensions.get("queues", {})
    if isinstance(encoding := queues.get("messageencoding"), str):
        queues["messageencoding"] = encoding.lower()
    try:
        return Settings(
            environment=os.environ,
            queues=QueueOptions.model_validate(queues),
            blobs=BlobOptions.model_validate(extensions.get("blobs", {})),
            http=HttpOptions.model_validate(extensions.get("http", {})),
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise HostError(f"host.json: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _local_values(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    content = _read_json(path)
    if content.get("IsEncrypted"):
        raise HostError(f"{path.name} is encrypted; decrypt it with `func settings decrypt`.")
    values = content.get("Values", {})
    if wrong := [name for name, value in values.items() if not isinstance(value, str)]:
        raise HostError(f"{path.name}: the values of {', '.join(wrong)} must be text.")
    return dict(values)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HostError(f"There is no {path.name} in {path.parent}: is it a function app?") from None
    except json.JSONDecodeError as error:
        raise HostError(f"{path.name} is not JSON (line {error.lineno}).") from None
    if not isinstance(content, dict):
        raise HostError(f"{path.name} must hold one JSON object.")
    return content


def _lowered(content: Any) -> Any:  # noqa: ANN401 - any JSON
    """Lower-case every name in it."""
    if not isinstance(content, dict):
        return content
    return {name.lower(): _lowered(value) for name, value in content.items()}


def _override(content: dict[str, Any], path: list[str], value: str) -> None:
    *sections, name = path
    for section in sections:
        content = content.setdefault(section, {})
    content[name] = value
