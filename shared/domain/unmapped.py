"""Why a person is nobody in Entra, in words for an admin."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.runs import Coverage


class Reason(StrEnum):
    """Why a person was not mapped; every unmapped person has one."""

    UNMATCHED = "unmatched"
    NEAR_MISS = "near_miss"
    AMBIGUOUS = "ambiguous"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Words:
    """One reason in plain words."""

    what: str
    mend: str


WORDS: Mapping[Reason, Words] = {
    Reason.UNMATCHED: Words(
        "No user has this id as employeeId.",
        "Fill employeeId of the user in with PERSON_ID_EXTERNAL, or make the account.",
    ),
    Reason.NEAR_MISS: Words(
        "A user has nearly the same id: it differs in leading zeros or signs.",
        "Make employeeId and PERSON_ID_EXTERNAL the same, zeros and signs included.",
    ),
    Reason.AMBIGUOUS: Words(
        "Several enabled users have this id, and nobody guesses.",
        "Leave employeeId with one of the users.",
    ),
    Reason.DISABLED: Words(
        "Only accounts that are disabled have this id.",
        "Enable the account, or leave it: who has gone needs nothing.",
    ),
}
"""Every reason, in the order in which they are told."""


def count(coverage: Coverage) -> dict[Reason, int]:
    """Count the unmapped persons by reason; here, a near miss is no part of the unmatched ones."""
    return {
        Reason.UNMATCHED: coverage.unmatched - coverage.near_miss,
        Reason.NEAR_MISS: coverage.near_miss,
        Reason.AMBIGUOUS: coverage.ambiguous,
        Reason.DISABLED: coverage.disabled,
    }
