"""The processes of a run: stub, generator and proxies; started pinned, and always killed at the end."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import attrs
import msgspec

from .answers import JSON_MODEL
from .cores import Placement, pin
from .load import Job, Load, Outcome
from .requests import API_KEY, PATHS, body_of
from .servers import ROOT, Server, environment

_POLL: Final = 0.005
_ANSWER_WITHIN: Final = 20.0  # seconds: a peer's first answer may take some
_HOST: Final = "127.0.0.1"


class BenchError(Exception):
    """A process of the run did not do its part; the message says which one and what it last wrote."""


@attrs.frozen
class Running:
    """A started server."""

    server: Server
    pid: int
    port: int
    accepted_after: float
    """Seconds from the process's start until the port took a connection."""
    answered_after: float
    """Seconds from the process's start until a chat request was answered."""


class Stub:
    """The stub upstream, up as long as the `with` block."""

    def __init__(self, placement: Placement) -> None:
        self._process = _module("benchmarks.stub", placement.load)
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self.port = int(self._process.stdout.readline() or 0)
        if not self.port:
            raise BenchError("the stub upstream did not start; see its messages above")

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *_: object) -> None:
        _kill(self._process)


class Generator:
    """The load generator's process, which serves one job after the other; up as long as the `with` block."""

    def __init__(self, placement: Placement) -> None:
        self._process = _module("benchmarks.generator", placement.load)
        self.pid = self._process.pid

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *_: object) -> None:
        _kill(self._process)

    def run(self, port: int, load: Load, at: Callable[[str], None]) -> Outcome:
        """Runs a load. `at` is called with "warm" and "measured", while the generator waits.

        Raises BenchError if nothing listens at the port, or no longer.
        """
        self._write(msgspec.json.encode(Job(port, load)))
        for phase in ("warm", "measured"):
            said = self._read()
            if said != phase:
                raise BenchError(f"load “{load.name}” at port {port}: {said}")
            at(phase)
            self._write(b"")
        return msgspec.json.decode(self._read(), type=Outcome)

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.decode() + "\n")
        self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise BenchError("the load generator ended; see its messages above")
        return line


@contextmanager
def started(server: Server, stub_port: int, placement: Placement) -> Iterator[Running]:
    """The server, from its first answer to the end of the `with` block.

    Raises BenchError, with the end of what it wrote, if it ends or does not answer in time.
    """
    with tempfile.TemporaryDirectory(prefix="ppap-bench-") as name:
        directory, port = Path(name), _free_port()
        command = server.configure(directory, port, stub_port)
        with (directory / "output.log").open("w+") as output:
            began = time.monotonic()
            process = _spawn(
                command.argv, placement.proxy, environment(command, directory), directory, output
            )
            try:
                deadline = began + server.ready_within
                _wait_until(lambda: _accepts(port), process, deadline, server.name, output)
                accepted = time.monotonic() - began
                _wait_until(lambda: _answers(port), process, deadline, server.name, output)
                yield Running(server, process.pid, port, accepted, time.monotonic() - began)
            finally:
                _kill(process)


def _wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[str], deadline: float, name: str, output: IO[str]
) -> None:
    while not ready():
        if process.poll() is not None:
            raise BenchError(f"{name} ended with status {process.returncode}:\n{_last_lines(output)}")
        if time.monotonic() > deadline:
            raise BenchError(f"{name} did not answer a chat request in time:\n{_last_lines(output)}")
        time.sleep(_POLL)


def _last_lines(output: IO[str]) -> str:
    output.seek(0)
    return output.read()[-2000:].strip() or "(it wrote nothing)"


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((_HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=_ANSWER_WITHIN)
    headers = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json"}
    try:
        connection.request("POST", PATHS["chat"], body_of("chat", JSON_MODEL, 1024), headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _module(name: str, core: int | None) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        (sys.executable, "-m", name),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pin(process.pid, core)
    return process


def _spawn(
    argv: tuple[str, ...], core: int | None, env: dict[str, str], directory: Path, output: IO[str]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        argv,
        cwd=directory,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: pin(0, core),  # before its first instruction: start-up is measured too
    )


def _kill(process: subprocess.Popen[str]) -> None:
    """Ends the process and all it started: they share a session of their own."""
    with process:  # waits for its end and closes the pipes
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
