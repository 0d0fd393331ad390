"""The storage emulator of the local tenant: Microsoft's Azurite, at the version of `package-lock.json`."""

import fcntl
import json
import queue
import re
import shutil
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

HERE = Path(__file__).parent
PROGRAM = HERE / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"

ACCOUNT_NAME = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Not a secret: the key that every storage emulator in the world has."""

START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 60

# The emulator ends as if by SIGTERM, and so flushes, when its standard input closes: that happens
# however this process comes to its end, even by SIGKILL, on every platform and from any thread.
# Its farewell then finds no reader; without an ear for that error it would die of it before it flushes.
_LIFELINE = (
    "data:text/javascript,"
    "import v8 from 'node:v8';"
    # What is uploaded counts for a heap that is hardly larger than Azurite itself. Once some gigabytes have come, it is
    # searched for garbage twice a second, and that took a sixth of a processor from the worker beside it.
    "v8.setFlagsFromString('--heap-growing-percent=500');"
    "for(const output of [process.stdout,process.stderr])output.on('error',()=>{});"
    "process.stdin.on('end',()=>process.kill(process.pid,'SIGTERM')).resume();process.stdin.unref();"
)
_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at (http://\S+)")


class AzuriteError(RuntimeError):
    """The storage emulator could not be installed or started; the message says what to do."""


def ensure_installed() -> None:
    """Install Azurite beside this module if it is not there; several processes may call this at once.

    Raises:
        AzuriteError: Node.js or npm is missing, or npm could not fetch the packages.
    """
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise AzuriteError(f"{tool} is not on the PATH: the storage emulator needs Node.js 20 or newer with npm")
    with (HERE / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_installed():
            _install()


def _is_installed() -> bool:
    """Tell whether npm has finished here, at the pinned version: it writes its own record last."""
    record = HERE / "node_modules" / ".package-lock.json"
    return record.exists() and _pinned(record) == _pinned(HERE / "package-lock.json")


def _pinned(lock: Path) -> str:
    version: str = json.loads(lock.read_bytes())["packages"]["node_modules/azurite"]["version"]
    return version


def _install() -> None:
    npm = subprocess.run(
        ["npm", "ci", "--no-progress"],
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if npm.returncode != 0:
        raise AzuriteError(f"`npm ci` in {HERE} failed with status {npm.returncode}:\n{npm.stderr.strip()}")


class Azurite:
    """The emulator, running while the `with` block does; its data stay in `folder` for the next time.

    Azurite keeps its metadata in memory and writes them every five seconds and when it is asked to end.
    So it is always asked, here at the end of the block and by itself when this process dies.
    """

    connection_string: str
    """For blobs, queues and tables; the ports are other ones at every start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str]
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader: threading.Thread

    def __enter__(self) -> Self:
        """Start it, and return when all three services listen.

        Raises:
            AzuriteError: it cannot be installed, or ended before it listened.
        """
        ensure_installed()
        self._folder.mkdir(parents=True, exist_ok=True)
        # A session of its own: Ctrl+C in the terminal must not end it before its users have ended.
        self._process = subprocess.Popen(
            [
                *("node", "--import", _LIFELINE, str(PROGRAM)),
                *("--silent", "--disableTelemetry", "--skipApiVersionCheck"),
                *("--location", str(self._folder)),
                *("--blobPort", "0", "--queuePort", "0", "--tablePort", "0"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - Popen was given a pipe
        self._reader = threading.Thread(target=_pass_on, args=(self._process.stdout, self._lines), daemon=True)
        self._reader.start()
        with ExitStack() as on_failure:
            on_failure.callback(self._stop)
            urls = self._wait_until_it_listens()
            on_failure.pop_all()
        self.connection_string = (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY};"
            + "".join(f"{service}Endpoint={url}/{ACCOUNT_NAME};" for service, url in sorted(urls.items()))
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ask it to end, and wait until its data are on disk."""
        self._stop()

    @property
    def process_id(self) -> int:
        """The emulator's."""
        return self._process.pid

    def _wait_until_it_listens(self) -> dict[str, str]:
        """Read what it says until each service has told its address."""
        urls: dict[str, str] = {}
        said: list[str] = []
        while len(urls) < len(("Blob", "Queue", "Table")):
            try:
                line = self._lines.get(timeout=START_TIMEOUT_SECONDS)
            except queue.Empty:
                raise AzuriteError(f"Azurite said nothing for {START_TIMEOUT_SECONDS} s") from None
            if line is None:
                raise AzuriteError("Azurite ended before it listened:\n" + "".join(said))
            said.append(line)
            if match := _LISTENING.match(line):
                urls[match[1]] = match[2]
        return urls

    def _stop(self) -> None:
        # Only the signal, and its input stays open until it has ended: a second SIGTERM, which its
        # lifeline would send, kills it in the middle of its flush.
        with self._process:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._reader.join(STOP_TIMEOUT_SECONDS)


def _pass_on(output: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Read to the end, so that the writer never waits for a full pipe."""
    for line in output:
        lines.put(line)
    lines.put(None)
