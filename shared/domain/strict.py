"""Values that say exactly what they are, and the forms that several of them share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

SecretName = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z-]{1,127}$")]
"""The name of a secret in Key Vault; never its value."""

HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s]+$", max_length=2000)]


class Strict(BaseModel):
    """A value that accepts no field it does not know and never changes.

    What checks it is built when there is the first of its kind: no function needs all of them, and each start would
    pay for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
