"""The keys that the specification gives to the parts of statements."""

from shared.domain.xapi import activities, parties, statement, values

KEYS = frozenset(
    key
    for module in (activities, parties, statement, values)
    for shape in vars(module).values()
    if isinstance(shape, type) and hasattr(shape, "__required_keys__") and shape.__module__ == module.__name__
    for key in shape.__annotations__
)
"""A path may hold these; any other key is the sender's own, and may say something about a person."""
