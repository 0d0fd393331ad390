"""A slow, independent statement of what the connector must do, for property tests.

Plain Python over lists of dictionaries, written from the rules alone and sharing no code with the product,
so that a misreading has to happen twice before a test lets it pass.
"""

from tests.reference.compare import difference, read_viva
from tests.reference.contract import COLUMNS, Expected, Package, User
from tests.reference.expected import Reference
from tests.reference.world import Step, World, to_csv, worlds

__all__ = [
    "COLUMNS",
    "Expected",
    "Package",
    "Reference",
    "Step",
    "User",
    "World",
    "difference",
    "read_viva",
    "to_csv",
    "worlds",
]
