"""How a learner of the LMS and a user in Entra are told to be the same: by which attribute, under which rules."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

EMPLOYEE_ID = "employeeId"
DIRECTORY_ATTRIBUTE = (
    r"^(employeeId|userPrincipalName|mail|onPremisesExtensionAttributes/extensionAttribute([1-9]|1[0-5]))$"
)
"""The attributes that may be compared, as Graph spells them in a query."""

PersonIdRule = Literal["drop_leading_zeros", "drop_spaces", "drop_signs"]
"""What may be left out of an id, on both sides, before it is compared."""
RULES: tuple[PersonIdRule, ...] = get_args(PersonIdRule)
BITS: Mapping[PersonIdRule, int] = {rule: 1 << number for number, rule in enumerate(RULES)}
ALL_RULES = sum(BITS.values())
"""A set of rules is the sum of its bits wherever the columnar engine has to do with it."""

TRACKED = frozenset({EMPLOYEE_ID, "userPrincipalName"})
"""Attributes of the directory's main store, whose changes Graph's delta tells; of the others that is not known."""

_EMPLOYEE_ID_LENGTH = 16
"""What Entra's employeeId holds at most."""
_LENGTH = 1024
"""Of the other attributes: no bound that we know of, and more than any id or address has."""


def longest_id(attribute: str) -> int:
    """Return how many characters a person id may have to be compared with an attribute."""
    return _EMPLOYEE_ID_LENGTH if attribute == EMPLOYEE_ID else _LENGTH


def bits_of(rules: Iterable[PersonIdRule]) -> int:
    """Return the sum of the rules' bits."""
    return sum(BITS[rule] for rule in set(rules))


def rules_of(bits: int) -> tuple[PersonIdRule, ...]:
    """Return the rules of a sum of bits."""
    return tuple(rule for rule in RULES if BITS[rule] & bits)


def extensions_of(bits: int) -> tuple[int, ...]:
    """Return the larger sets of rules that hold this one, those with fewest rules first."""
    larger = [each for each in range(bits + 1, ALL_RULES + 1) if each & bits == bits]
    return tuple(sorted(larger, key=lambda each: (each.bit_count(), each)))
