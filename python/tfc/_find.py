# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where libtfc-runtime.so and tfc-compile are.

In this order: below $TFC_HOME (a build folder or an installation, with bin/ and lib/); inside of the package, where it was
installed as a wheel; in the build folder beside
this package's sources; with the tfc-compile on the PATH; for the library at last wherever the dynamic loader looks.
A TFC_HOME that lacks what is asked for is an error: the user meant that one and no other.
"""

from __future__ import annotations

import os
import pathlib
import shutil

from ._errors import Code, Error

_LIBRARY = pathlib.PurePath("lib", "libtfc-runtime.so")
_COMPILER = pathlib.PurePath("bin", "tfc-compile")


def _in_a_home(what: pathlib.PurePath) -> pathlib.Path | None:
    home = os.environ.get("TFC_HOME")
    if home:
        if not pathlib.Path(home, what).is_file():
            raise Error(f"TFC_HOME is '{home}', but there is no {what} in it", Code.NOT_FOUND)
        return pathlib.Path(home, what)
    here = pathlib.Path(__file__).resolve()
    # In the sources there is a build folder beside us; installed, we lie in PREFIX/share/tfc/python/tfc.
    for folder in (here.parent / "_home", here.parents[2] / "build", *here.parents[4:5]):
        if (folder / what).is_file():
            return folder / what
    return None


def compiler() -> str:
    """The path of tfc-compile. Raises Error (NOT_FOUND)."""
    at_home = _in_a_home(_COMPILER)
    found = str(at_home) if at_home else shutil.which("tfc-compile")
    if not found:
        raise Error("tfc-compile was not found: set TFC_HOME to tfc's build folder, or put it on the PATH", Code.NOT_FOUND)
    return found


def needed_packages() -> str:
    """The Debian packages that tfc-compile needs; "" where nobody has written them down."""
    listed = pathlib.Path(__file__).resolve().parent / "_home" / "debian-packages"
    return listed.read_text().strip() if listed.is_file() else ""


def library() -> str:
    """What to give to the dynamic loader for libtfc-runtime. Raises Error (NOT_FOUND)."""
    found = _in_a_home(_LIBRARY)
    if found:
        return str(found)
    tool = shutil.which("tfc-compile")
    if tool:
        beside = pathlib.Path(tool).resolve().parents[1] / _LIBRARY
        if beside.is_file():
            return str(beside)
    return _LIBRARY.name
