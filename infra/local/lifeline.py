"""Run a module that is asked to end when whoever started it has: `python -m infra.local.lifeline MODULE ...`.

The standard input is a pipe that nobody writes to. It ends when its other end is closed, and that happens
however the other process comes to its end, even by SIGKILL.
"""

import os
import runpy
import signal
import sys
import threading


def _end_with_the_other() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_other, name="lifeline", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
