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


def words_for(attribute: str) -> Mapping[Reason, Words]:
    """Return the words for every reason, in the order in which they are told; `attribute` is that in Entra."""
    return {
        Reason.UNMATCHED: Words(
            f"No user has this id as {attribute}.",
            f"Fill {attribute} of the user in with PERSON_ID_EXTERNAL, or make the account.",
        ),
        Reason.NEAR_MISS: Words(
            "A user has nearly the same id: it differs in leading zeros, spaces or signs.",
            f"Make {attribute} and PERSON_ID_EXTERNAL the same, zeros and signs included.",
        ),
        Reason.AMBIGUOUS: Words(
            "Several enabled users have this id, and nobody guesses.",
            f"Leave {attribute} with one of the users.",
        ),
        Reason.DISABLED: Words(
            "Only accounts that are disabled have this id.",
            "Enable the account, or leave it: who has gone needs nothing.",
        ),
    }


def near_mend(rules: str) -> str:
    """Say how to mend a near miss that some rules would match."""
    return f"Would match with {rules} (person_id_rules); or make the two ids the same."


def count(coverage: Coverage) -> dict[Reason, int]:
    """Count the unmapped persons by reason; here, a near miss is no part of the unmatched ones."""
    return {
        Reason.UNMATCHED: coverage.unmatched - coverage.near_miss,
        Reason.NEAR_MISS: coverage.near_miss,
        Reason.AMBIGUOUS: coverage.ambiguous,
        Reason.DISABLED: coverage.disabled,
    }
