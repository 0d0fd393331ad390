"""StackOne's unified interface on this machine, with a tenant of SuccessFactors behind it."""

from infra.local.learning.faults import Faults
from infra.local.learning.lms import Event, Item, User
from infra.local.learning.pace import LIMITS, Limit, Limits
from infra.local.learning.web import Seen
from infra.local.stackone.server import StackOneSimulator

__all__ = ["LIMITS", "Event", "Faults", "Item", "Limit", "Limits", "Seen", "StackOneSimulator", "User"]
