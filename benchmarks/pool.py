"""Workers: one process a contender, with requests and answers over a pipe, each a line of JSON.

A worker blocks on its pipe between requests, so it takes nothing from the contender whose turn it is. Whatever befalls
it (a package that is missing, an exception, a crash, too long a wait) is a reason in words, and the others go on.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

START_S = 180.0
"""Seconds in which a worker must have imported its library and said so."""


class Absent(Exception):
    """The reason, in one line, why a contender does not take part or has dropped out."""


class Worker:
    """A process that answers requests. Its own standard output is free for whatever its library prints."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str]):
        self.name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        # A session of its own: Ctrl-C reaches the parent alone, which then ends every worker with all that it started.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=dict(environment),
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def send(self, do: str, /, **arguments: Any) -> None:
        """Ask for `do`; the answer is for `receive`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended: `receive` says how

    def receive(self, seconds: float) -> Any:
        """Return the answer to the oldest open request.

        Raises:
            Absent: there is none, because the process failed, ended, or took longer; in the last two cases it is over.
        """
        try:
            line = self._lines.get(timeout=max(0.0, seconds))
        except queue.Empty:
            self.end()
            raise Absent(f"not measured: ran out of time, {seconds:.0f} s") from None
        if not line:
            raise Absent(f"not measured: {self._end_in_words()}")
        answer = json.loads(line)
        if "reason" in answer:
            raise Absent(answer["reason"])
        return answer["result"]

    def end(self) -> None:
        """End the process, and what it has started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._said):
            try:
                if file is not None:
                    file.close()
            except OSError:  # what was still to be written has no reader
                pass

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                self._lines.put(line)
        self._lines.put(b"")

    def _end_in_words(self) -> str:
        code = self._process.wait()
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        lines: list[str] = []
        if not self._said.closed:
            self._said.seek(0)
            lines = self._said.read().decode(errors="replace").strip().splitlines()
        self.end()
        last = f": {lines[-1].strip()[:200]}" if lines and code > 0 else ""
        return f"the process ended with {how}{last}"


class Pool:
    """The workers of a run by name; `absent` has the reasons for which other contenders are not there."""

    def __init__(
        self,
        names: Iterable[str],
        command: Callable[[str], list[str]],
        environment: Callable[[str], Mapping[str, str]],
        deadline: float = float("inf"),
    ):
        self.names = list(names)
        self.about: dict[str, dict[str, Any]] = {}
        self.absent: dict[str, str] = {}
        self.deadline = deadline
        self._command, self._environment = command, environment
        self._workers: dict[str, Worker] = {}

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Start the workers that are not running, all at once."""
        missing = [name for name in self.names if name not in self._workers and name not in self.absent]
        for name in missing:
            self._workers[name] = Worker(name, self._command(name), self._environment(name))
        for name in missing:
            try:
                self.about[name] = self._workers[name].receive(self.time(START_S))
            except Absent as reason:
                self.absent[name] = str(reason)
                self._workers.pop(name).end()

    def send(self, name: str, do: str, /, **arguments: Any) -> None:
        """Ask a worker; `receive` returns what it answers."""
        self._workers[name].send(do, **arguments)

    def receive(self, name: str, seconds: float) -> Any:
        """Return a worker's answer.

        Raises:
            Absent: there is none.
        """
        worker = self._workers[name]
        try:
            return worker.receive(self.time(seconds))
        except Absent:
            if worker._process.poll() is not None:
                self._workers.pop(name).end()
            raise

    def ask(self, name: str, do: str, seconds: float = 600.0, /, **arguments: Any) -> Any:
        """Send, and return the answer.

        Raises:
            Absent: there is none.
        """
        self.send(name, do, **arguments)
        return self.receive(name, seconds)

    def running(self) -> list[str]:
        """Return the contenders whose workers are there."""
        return [name for name in self.names if name in self._workers]

    def time(self, seconds: float) -> float:
        """Return `seconds`, or what is left until the deadline."""
        return min(seconds, max(0.0, self.deadline - time.monotonic()))

    def end(self) -> None:
        """End all workers."""
        while self._workers:
            self._workers.popitem()[1].end()


def script(name: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the command line of the worker for the contender `name`."""
    return [sys.executable, str(Path(__file__).with_name("worker.py")), name, json.dumps(settings)]
