"""SuccessFactors' learning interface on this machine, as strict as the real one is known to be."""

from infra.local.learning.faults import Faults
from infra.local.learning.lms import Event, Item, User
from infra.local.learning.pace import LIMITS, Limit, Limits
from infra.local.learning.web import Seen
from infra.local.successfactors.server import SuccessFactorsSimulator

__all__ = ["LIMITS", "Event", "Faults", "Item", "Limit", "Limits", "Seen", "SuccessFactorsSimulator", "User"]
