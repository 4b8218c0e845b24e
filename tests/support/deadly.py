"""A worker of a batch that dies of certain rows. Runs in a process of its own, hence in a module of its own."""

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from certlib.batch.pool import READY
from certlib.batch.work import Result, Task
from certlib.config import Settings


def serve_and_die(connection: Connection, _settings: Settings, task: Task) -> None:
    """Answer each candidate with its row as file; die of row 13 always, and of row 21 the first time."""
    seen = Path(task.operator)
    connection.send(READY)
    while (job := connection.recv()) is not None:
        rows = [each.row for each in job.candidates]
        first_time = 21 in rows and not seen.exists()
        if 13 in rows or first_time:
            seen.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        connection.send(tuple(Result(file=str(row)) for row in rows))


def serve_never(_connection: Connection, _settings: Settings, _task: Task) -> None:
    """Die at once."""
    os._exit(7)
