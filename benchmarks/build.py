"""Compiles the floor client and its echo server with this machine's C compiler, once per version of them.

Rule: what it returns was built from the sources as they are now; the program's name holds a hash of them, of
the flags and of the compiler's path. It knows nothing of what the programs measure, and installs nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

__all__ = ["BuildError", "NoCompilerError", "echo_server", "floor_client"]

SOURCES = Path(__file__).parent / "floor"
CACHE = Path(__file__).parent.parent / "build" / "benchmarks"
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra")
LIBRARIES = ("-lm",)
INSTALL_HINT = "\n  On Debian: sudo apt-get install gcc libc6-dev"


class BuildError(RuntimeError):
    """The C compiler refused the sources; its own words are in the message."""


class NoCompilerError(BuildError):
    """There is no C compiler on this machine, or none that can compile anything (no C library headers)."""


def floor_client() -> Path:
    """The C client that only sends and reads; its figures are explained at the top of `floor/client.c`.

    Raises:
        NoCompilerError: where there is no C compiler.
        BuildError: where it fails.
    """
    return _built("client")


def echo_server() -> Path:
    """The C echo server; how to start and end it is explained at the top of `floor/server.c`.

    Raises:
        NoCompilerError: where there is no C compiler.
        BuildError: where it fails.
    """
    return _built("server")


def _built(name: str) -> Path:
    compiler = _compiler()
    source = SOURCES / f"{name}.c"
    digest = hashlib.sha256(" ".join((compiler, *FLAGS, *LIBRARIES)).encode())
    for path in (source, *sorted(SOURCES.glob("*.h"))):
        digest.update(path.read_bytes())
    program = CACHE / f"floor-{name}-{digest.hexdigest()[:12]}"
    if not program.exists():
        _compile(compiler, source, program)
    return program


def _compiler() -> str:
    """The compiler named by the variable CC, else gcc, else cc."""
    names = (os.environ["CC"],) if os.environ.get("CC") else ("gcc", "cc")
    for name in names:
        if found := shutil.which(name):
            return found
    raise NoCompilerError(f"no C compiler: {' or '.join(names)} is not on the PATH{INSTALL_HINT}")


def _compile(compiler: str, source: Path, program: Path) -> None:
    """Compiles beside the target and renames: two builds at once never show each other half a program."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        fresh = Path(folder) / program.name
        if wrong := _compiler_words(compiler, source, fresh):
            probe = Path(folder) / "probe.c"
            probe.write_text('#include <stdio.h>\nint main(void) { return puts("") < 0; }\n')
            if _compiler_words(compiler, probe, Path(folder) / "probe"):
                raise NoCompilerError(f"{compiler} cannot compile anything:\n{wrong}{INSTALL_HINT}")
            raise BuildError(f"{compiler} refused {source}:\n{wrong}")
        fresh.replace(program)


def _compiler_words(compiler: str, source: Path, program: Path) -> str:
    """Compiles one file; returns what the compiler said if it failed, else nothing."""
    command = [compiler, *FLAGS, "-o", str(program), str(source), *LIBRARIES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stderr.strip() or f"code {done.returncode}") if done.returncode else ""


if __name__ == "__main__":
    print(floor_client(), echo_server(), sep="\n")
