"""Run a function app on this machine: `python -m infra.local.host [--app DIR]`.

Exit status: 0 after SIGTERM or SIGINT, 1 when the app cannot be run, 2 for wrong usage.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from infra.local.host import worker
from infra.local.host.service import GRACE_SECONDS, serve
from infra.local.host.settings import HostError

DEFAULT_PORT = 7071


def main() -> int:
    """Run until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.host", description="Run a function app.")
    parser.add_argument("--app", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"of HTTP functions; 0: any (default: {DEFAULT_PORT})"
    )
    parser.add_argument("--quiet", action="store_true", help="only warnings and errors")
    parser.add_argument(
        "--grace",
        type=float,
        default=GRACE_SECONDS,
        metavar="SECONDS",
        help=f"for running functions to end after a signal (default: {GRACE_SECONDS:g})",
    )
    arguments = parser.parse_args()
    _log_to_stderr(logging.WARNING if arguments.quiet else logging.INFO)
    try:
        finished = asyncio.run(_until_signal(arguments.app.resolve(), arguments.port, arguments.grace))
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    if not finished:
        logging.getLogger("host").warning("Functions that did not end in time are given up.")
        logging.shutdown()
        os._exit(0)  # a thread cannot be ended, and must not keep the process
    worker.stop()
    return 0


async def _until_signal(app: Path, port: int, grace_seconds: float) -> bool:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await serve(app, stop, port=port, grace_seconds=grace_seconds)


def _log_to_stderr(level: int) -> None:
    """Show the app's log and the host's; of the SDK's (a line a request) and the worker's, only warnings."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
