"""What a plan takes: the requests that `push_records` makes of it, when nothing has to be sent twice."""

import pytest

from shared.domain.cost import Cost


@pytest.mark.parametrize(
    ("deletes", "others", "requests"),
    [
        (0, 0, 0),
        (0, 1, 1),
        (0, 20, 1),
        (0, 21, 2),
        (1, 1, 2),
        (0, 800, 40),
        (0, 4_001, 201),
        (1, 1_199, 63),
        (3, 800, 43),
    ],
)
def test_batches_are_of_twenty_and_deletes_go_first_in_every_shard(deletes: int, others: int, requests: int) -> None:
    """Of several shards, each may hold some of both: then a batch more in each is not full."""
    cost = Cost.of(deletes=deletes, others=others, batched=True)

    assert (cost.requests, cost.writes) == (requests, deletes + others)


def test_without_batches_every_write_is_a_request() -> None:
    assert Cost.of(deletes=3, others=40, batched=False) == Cost(43, 43)


def test_costs_add_up() -> None:
    assert Cost(2, 30) + Cost(1, 3) + Cost() == Cost(3, 33)
