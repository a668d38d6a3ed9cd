"""A PostgreSQL server of the tests' own: on a free port, in a temporary folder, gone with them."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"


def programs():
    """The folder of the server's programs; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _as_server(command, folder):
    """Runs a program as a user that the server accepts: it refuses root."""
    if os.geteuid() == 0:
        command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *command]
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")


@contextmanager
def server():
    """Starts a server and gives its URL; at the end it is stopped."""
    with tempfile.TemporaryDirectory(prefix="hyperpilot-postgres-") as name:  # pytest's folders are their owner's alone
        yield from _serve(Path(name), programs())


def _serve(folder, where):
    data, sockets = folder / "data", folder / "sockets"
    sockets.mkdir()
    if os.geteuid() == 0:
        for path in (folder, sockets):
            shutil.chown(path, USER, USER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    _as_server([where / "initdb", "-D", data, "-U", USER, "-A", "trust", "-N", "--locale=C", "-E", "UTF8"], folder)
    options = f"-p {port} -k {sockets} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB"
    try:
        _as_server([where / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start"], folder)
        yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
    finally:
        _as_server([where / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], folder)
