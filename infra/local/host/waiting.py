"""Waiting that ends early."""

import asyncio


async def first_of(*events: asyncio.Event, timeout_seconds: float) -> None:
    """Return when any of the events is set, or when the time is over."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
