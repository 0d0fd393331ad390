"""Two engines in one process: twice the memory, and clear text of one in what the other writes to its disk."""

from threading import Thread

from shared.pipeline.engine import engine


def test_an_engine_waits_until_another_thread_has_closed_its_own() -> None:
    """What ends a run cannot come back later; it comes after whoever reads clear text has forgotten it."""
    order: list[str] = []

    def fold() -> None:
        with engine(64):
            order.append("folds")

    with engine(64), engine(64):
        thread = Thread(target=fold)
        thread.start()
        thread.join(0.3)
        order.append("reads")
    thread.join(60)

    assert order == ["reads", "folds"]
