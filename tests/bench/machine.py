"""What machine this is: figures without it are none."""

import os
import platform
import re
import subprocess
from pathlib import Path

import duckdb

from tests.bench.result import Machine


def look() -> Machine:
    """Tell what a reader needs to compare this machine with another."""
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    gpg = subprocess.run(["gpg", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return Machine(
        processor=processor[1].strip() if processor else platform.machine(),
        processors=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        duckdb=duckdb.__version__,
        gpg=gpg.split()[-1],
    )
