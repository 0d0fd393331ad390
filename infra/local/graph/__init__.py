"""A simulator of Microsoft Graph: the directory, its delta, `$batch`, and Viva Learning.

It is stricter than the service where the service is vague: what it takes, the service's own metadata allows.
"""

from infra.local.graph.directory import LICENCE_SERVICE_PLAN_ID, SEEDED_SERVICE_PLAN_ID
from infra.local.graph.faults import Faults
from infra.local.graph.server import PROVIDER_ID, GraphSimulator
from infra.local.graph.service import Counters
from infra.local.graph.state import Payload

__all__ = [
    "LICENCE_SERVICE_PLAN_ID",
    "PROVIDER_ID",
    "SEEDED_SERVICE_PLAN_ID",
    "Counters",
    "Faults",
    "GraphSimulator",
    "Payload",
]
