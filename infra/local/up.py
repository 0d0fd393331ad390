"""`python -m infra.local up`: the tenant stays up until somebody ends it."""

import shlex
import shutil
import socket
import threading
from datetime import datetime
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.local.azurite import AzuriteError
from infra.local.given import Given
from infra.local.sftp_openssh import OpenSshError
from infra.local.tenant import Tenant
from infra.local.usage import UsageError
from infra.local.worker import ROOT, Host, WorkerError
from shared.cli.show import make_console
from shared.domain.errors import ConnectorError

_CHECK_SECONDS = 1.0
_FAILED = 5
_HOSTS: tuple[Host, ...] = get_args(Host.__value__)


def stay_up(given: Given, *, state: Path, now: datetime | None, host: str, port: int) -> int:
    """Keep everything up until Ctrl+C; return the exit status.

    Raises:
        UsageError: something that was given cannot be accepted, or the state is in use.
    """
    chosen = _choose(host)
    port = port if port and _is_free(port) else _free_port()
    console = make_console()
    try:
        with Tenant(state, now) as tenant:
            tenant.configure(given)
            if chosen is not None:
                tenant.start_worker(scheduled=True, host=chosen, port=port)
            file = tenant.write_environment()
            _show(console, tenant, chosen, port)
            console.print(
                Text(f"In another terminal: .venv/bin/python -m shared.cli -e {shlex.quote(str(file))} status"),
                soft_wrap=True,
            )
            console.print("Ctrl+C ends the tenant.")
            while not threading.Event().wait(_CHECK_SECONDS):
                if chosen is not None:
                    tenant.worker.check()
    except KeyboardInterrupt:
        console.print("The tenant has ended; its data stay where they are.")
        return 0
    except (AzuriteError, OpenSshError, ConnectorError, WorkerError) as error:
        console.print(Text(str(error)), style="red")
    return _FAILED


def _choose(host: str) -> Host | None:
    if host == "none":
        return None
    for known in _HOSTS:
        if host == known:
            break
    else:
        raise UsageError(f"--host {host}: it should be {', '.join(_HOSTS)} or none.")
    if known == "func" and shutil.which("func") is None:
        raise UsageError("--host func: Azure Functions Core Tools (`func`) are not on the PATH.")
    return known


def _show(console: Console, tenant: Tenant, host: Host | None, port: int) -> None:
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("app", f"http://127.0.0.1:{port}/api" if host else "not started (--host none)"),
        ("key", f"x-functions-key: {tenant.function_key}" if host else ""),
        ("log", str(tenant.log_file)),
        ("SFTP", f"{tenant.sftp.user}@{tenant.sftp.host}:{tenant.sftp.port}{tenant.sftp.folder_path}"),
        ("Graph", f"{tenant.graph.url}/v1.0"),
        ("LMS", tenant.lms.url),
        ("vault", tenant.vault.url),
        ("data", str(tenant.state)),
    ):
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    console.print("The tenant is up.", style="bold green")
    console.print(table)
    console.print()
    console.print(Text("To run the app yourself (--host none), in another terminal:"))
    console.print(Text(f"  cd {shlex.quote(str(ROOT))}"), soft_wrap=True)
    for name, value in tenant.environment(scheduled=True).items():
        console.print(Text(f"  export {name}={shlex.quote(value)}"), soft_wrap=True)
    start = "func start" if shutil.which("func") else f"python -m infra.local.host --port {port}"
    console.print(Text(f"  {start}"), soft_wrap=True)
    console.print()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
