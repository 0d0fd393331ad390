"""The versions of xAPI; alone, for whoever reads settings reads no statements."""

from enum import StrEnum


class Version(StrEnum):
    """The versions whose statements are read."""

    V1 = "1.0.3"
    V2 = "2.0"
