"""How SuccessFactors says no."""

from infra.local.learning.web import Answer, RefusedError


def refuse(status: int, message: str, code: str | None = None) -> RefusedError:
    """Make the exception that ends a request with an OData error; `code` is null in what was seen of it."""
    return RefusedError(Answer(status, {"error": {"code": code, "message": message}}))
