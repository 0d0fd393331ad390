"""The messages between host and worker, without protobuf.

The worker library builds and reads its messages through a module handed to it (`properties["protos"]`). Any
object with these names serves; so neither grpc nor protobuf has to be installed, or held in memory.
This module is that object. A field that was not given reads as `None`.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

type Value = str | bytes | int | float | datetime | Mapping[str, Any] | list[Any] | TypedData | None
"""What a caller may hand over as data or metadata; `typed` gives it the form the real host uses."""


class Message:
    """A message with any fields; what is `None` counts as not set, as in protobuf."""

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401 - the worker decides what a field holds
        self.__dict__.update({name: value for name, value in fields.items() if value is not None})

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - see above
        if not name[0].islower():  # a message within a message, or a protocol of Python's
            raise AttributeError(name)
        return None

    def __repr__(self) -> str:
        """Names only: a field may hold what must not reach a log."""
        return f"{type(self).__name__}({', '.join(self.__dict__)})"


class BindingInfo(Message):
    """A binding of an indexed function."""

    undefined, string, binary, stream = range(4)
    out, inout = 1, 2


setattr(BindingInfo, "in", 0)  # `in` is a keyword


class StatusResult(Message):
    """How a request ended."""

    Failure, Success, Cancelled = range(3)


class TypedData(Message):
    """One value, in exactly one of its fields: `string`, `bytes`, `json`, `http`, `model_binding_data`."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Name the field that is set."""
        return next(iter(self.__dict__), None)


class ParameterBinding(Message):
    """A value for, or from, a parameter of the function."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """Say that the value is here, not in shared memory."""
        return "data"


class RpcHttpCookie(Message):
    """A cookie of an HTTP answer."""

    SameSite = SimpleNamespace(**{"None": "", "Lax": "Lax", "Strict": "Strict", "ExplicitNone": "None"})


class RpcException(Message):
    """What a function raised: `message` and `stack_trace`."""


class RpcHttp(Message):
    """An HTTP request or answer."""


class ModelBindingData(Message):
    """What an SDK-type binding (say, a `BlobClient`) is made from."""


class InvocationRequest(Message):
    """Run this function with these values."""


class FunctionEnvironmentReloadResponse(Message):
    """Answer to a request this host never makes."""


class FunctionLoadResponse(Message):
    """Answer to a request this host never makes."""


class FunctionMetadataResponse(Message):
    """The indexed functions."""


class InvocationResponse(Message):
    """Outputs and outcome of a run."""


class NullableBool(Message):
    """`value`."""


class NullableDouble(Message):
    """`value`."""


class NullableString(Message):
    """`value`."""


class NullableTimestamp(Message):
    """`value`."""


class Timestamp(Message):
    """`seconds` since 1970."""


class RpcFunctionMetadata(Message):
    """An indexed function; `raw_bindings` is a list of JSON texts."""


class RpcRetryOptions(Message):
    """A retry policy."""


class WorkerInitResponse(Message):
    """Whether the app could be loaded."""


class WorkerMetadata(Message):
    """Versions of the worker."""


def typed(value: Value) -> TypedData:
    """Wrap a value the way the host sends it: text as text, bytes as bytes, everything else as JSON."""
    match value:
        case TypedData():
            return value
        case str():
            return TypedData(string=value)
        case bytes():
            return TypedData(bytes=value)
        case datetime():
            return TypedData(json=json.dumps(value.isoformat()))
        case _:
            return TypedData(json=json.dumps(value))
