"""Builds the hot path as optional extension modules; everything else stands in pyproject.toml.

Without a C compiler, or without Python's headers, the build goes on and squall runs from its sources.
"""

import runpy
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = Path("src")
BUILT = SOURCE / "squall" / "_built.py"
MODULES = runpy.run_path(str(SOURCE / "squall" / "_native.py"))["COMPILED"]


class OptionalBuild(build_ext):
    """Notes which picows the extensions were built for, once all of them were."""

    def run(self) -> None:
        """Build what can be built."""
        BUILT.unlink(missing_ok=True)
        super().run()
        if all(Path(self.get_ext_fullpath(ext.name)).exists() for ext in self.extensions):
            BUILT.write_text(f'"""Written by the build."""\n\nPICOWS = "{version("picows")}"\n')


def extensions() -> list[Extension]:
    """The hot path as extension modules; none where Cython or picows is missing."""
    try:
        from Cython.Build import cythonize

        version("picows")
    except (ImportError, PackageNotFoundError):
        return []
    found = [
        Extension(
            name,
            [str((SOURCE / Path(*name.split("."))).with_suffix(".py"))],
            optional=True,
            extra_compile_args=["-O3", "-fno-math-errno"],
        )
        for name in MODULES
    ]
    directives = {
        "language_level": 3,
        "initializedcheck": False,
        "embedsignature": True,
        "profile": False,
    }
    modules: list[Extension] = cythonize(
        found, build_dir="build", compiler_directives=directives, quiet=True, include_path=[str(SOURCE)]
    )
    return modules


setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuild})
