"""Started as a process by the tests: records a run into a folder, and says each second once it is recorded.

    writing.py FOLDER SECONDS FILE_SIZE_MAX

FILE_SIZE_MAX limits the size of every file that the process writes; 0 for none. It goes on to the end after a
StoreError, as a run does, and prints it.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from squall.errors import StoreError
from squall.record.run import FORMAT_VERSION, Phase, RunHeader
from squall.record.snapshots import Interval, MessageCell, SparseHistogram
from squall.record.verdicts import Validity, Verdict
from squall.store.folder import write_whole
from squall.store.writer import RunWriter

HEADER = RunHeader(
    format_version=FORMAT_VERSION,
    run_id="writing",
    name="writing",
    squall_version="0",
    started_wall_ns=0,
    seed=0,
    run_number=0,
    scenario={},
    populations=["default"],
    types=[["message"]],
    plan=[],
    environment={},
)
PHASE = Phase(
    id=1, name="hold", kind="sustained", start_ns=0, end_ns=None, level_start=9, level_end=9, words="held"
)
VERDICT = Verdict(outcome="passed", validity=Validity(valid=True), exit_code=0, reasons=(), judgements=())


def second(index: int) -> Interval:
    # Bytes that no compression makes smaller, and that say which second they belong to.
    noise = b"".join((index * 7919 + step).to_bytes(4, "big") for step in range(300))
    histogram = SparseHistogram(300, 1, 1, 1, noise)
    cell = MessageCell(population=0, phase=1, type=0, place=0, intended=9, delivered=9, response=histogram)
    return Interval(index=index, at_ns=(index + 1) * 1_000_000_000, held=9, planned=9, messages=[cell])


def main() -> None:
    folder, seconds, file_size_max = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if file_size_max:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_max, file_size_max))
    errors: list[StoreError] = []
    with RunWriter(folder, HEADER, checkpoint_every=20) as writer:
        writer.begin_phase(PHASE)
        for index in range(seconds):
            try:
                writer.accept(second(index))
            except StoreError as error:
                errors.append(error)
                continue
            if writer.failure is None:
                os.write(1, f"{index}\n".encode())
        try:
            writer.finish(VERDICT)
        except StoreError as error:
            errors.append(error)
        write_whole(folder / "summary.json", b"{}" + b" " * 20_000)
    for error in errors:
        os.write(2, f"{error}\n---\n".encode())


if __name__ == "__main__":
    main()
