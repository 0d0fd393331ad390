"""How many random worlds a property is tried on: a few that are the same every time, or many."""

import os

from hypothesis import HealthCheck, Phase, settings

WORLDS = os.environ.get("WORLDS")
"""How many to try, and others each time: `WORLDS=500 pytest -m slow ...`; without it the same ones are tried."""

FEW = settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
MANY = settings(
    max_examples=int(WORLDS or 25),
    deadline=None,
    derandomize=not WORLDS,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink] if WORLDS else [Phase.generate],
)
MANY_SECONDS = 0 if WORLDS else 900
"""The time limit of a test that tries many; 0 for none."""
