"""The main of a worker process: one loop, one channel, and an end that nobody has to wait for.

A worker lives as long as its channel. It ignores SIGINT and SIGTERM, since a terminal or a service manager
may send them to the whole group while the coordinator wants to drain; it goes when the coordinator says so or
is gone: by the channel's end, and on Linux by a signal of the kernel's too, should this process be stuck.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import sys
import traceback

import uvloop

from squall.clock import RealClock
from squall.engine.base import Failed
from squall.engine.wire import WorkerEnd
from squall.engine.worker import run_worker
from squall.errors import ExitCode, SquallError

__all__ = ["main", "raise_file_limit", "serve"]

STUCK_S = 3.0
"""How long a worker may go on after its coordinator is gone."""

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str] | None = None) -> None:
    """Serve the coordinator on the inherited descriptor `--fd`, then leave without cleaning up memory."""
    parser = argparse.ArgumentParser(
        prog="squall.fleet.process", description="a worker of squall; not for people"
    )
    parser.add_argument("--fd", type=int, required=True, help="the connected socket to the coordinator")
    parser.add_argument("--parent", type=int, required=True, help="the process that must be alive")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _end_with(options.parent)
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_serve_fd(options.fd))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # thousands of sessions are freed by the system at once, by Python one by one


async def serve(end: WorkerEnd, *, alone: bool = False) -> int:
    """Run a worker on its channel until it has nothing left to do; what stops it is told. An exit code.

    `alone`: this process has nothing else to do, and so whatever is left in it at the end is the worker's.
    """
    try:
        await run_worker(end, RealClock(), alone=alone)
    except SquallError as error:
        end.send(Failed(message=str(error), exit_code=error.exit_code))
        return int(error.exit_code)
    except Exception as error:  # noqa: BLE001 - a bug of ours must reach the coordinator, whatever it is
        traceback.print_exc()
        end.send(Failed(message=f"{type(error).__name__}: {error}", exit_code=ExitCode.BUG))
        return int(ExitCode.BUG)
    finally:
        await end.close()
    return 0


def raise_file_limit() -> None:
    """Raise the soft limit of open files to the hard one, as any process may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(
        ValueError, OSError
    ):  # a hard limit of "infinity" may not be taken as a soft one
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve_fd(fd: int) -> int:
    end = await WorkerEnd.open(fd)
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_leave_when_alone(end))
        code = await serve(end, alone=True)
        watch.cancel()
    return code


async def _leave_when_alone(end: WorkerEnd) -> None:
    """End the process by force where the coordinator is gone and the worker has not ended by itself."""
    await end.ended.wait()
    await asyncio.sleep(STUCK_S)
    os._exit(ExitCode.BUG)


def _end_with(parent: int) -> None:
    """Ask Linux to kill this process when the thread that started it ends; leave if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(ExitCode.BUG)


if __name__ == "__main__":
    main()
