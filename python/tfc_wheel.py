#!/usr/bin/env python3
# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tfc_wheel.py FOLDER: makes tfc's wheel, with the standard library alone; also the build backend of pyproject.toml.

The wheel has the package, libtfc-runtime (which needs only libc) and the tools tfc-compile and tfc-run, which need LLVM and MLIR as Debian
packages them; the wheel says which. The binaries come from $TFC_HOME, or from the build folder beside these sources.
"""

import base64
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY, TOOLS = "lib/libtfc-runtime.so", ("bin/tfc-compile", "bin/tfc-run")
# For a machine that cannot ask dpkg.
USUAL_PACKAGES = ["libllvm22", "libmlir-22", "libprotobuf-lite32", "libstdc++6", "libzstd1", "zlib1g"]


def version():
    lists = (HERE.parent / "CMakeLists.txt").read_text()
    return re.search(r"project\(tfc VERSION ([\d.]+)", lists)[1]


def binaries(folder):
    """Binaries that know no build folder, by their path in a home of tfc: of an installation, or installed from a build folder into `folder`."""
    home = pathlib.Path(os.environ.get("TFC_HOME") or HERE.parent / "build")
    if (home / "CMakeCache.txt").exists():
        subprocess.run(["cmake", "--install", home, "--prefix", folder, "--strip"], check=True, stdout=sys.stderr)
        home = pathlib.Path(folder)
    if not (home / LIBRARY).exists():
        sys.exit(f"no {LIBRARY} in {home}: build tfc first, or set TFC_HOME")
    return {name: home / name for name in (LIBRARY, *TOOLS) if (home / name).exists()}


def debian_packages(tool):
    """The packages whose libraries the tool is linked with."""
    try:
        needed = re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(["readelf", "-d", tool], capture_output=True, text=True, check=True).stdout)
        places = dict(re.findall(r"^\s*(\S+) => (\S+)", subprocess.run(["ldd", tool], capture_output=True, text=True, check=True).stdout, re.M))
        packages = set()
        for path in (os.path.realpath(places[name]) for name in needed if name in places):
            for spelling in (path, path.removeprefix("/usr")):
                owner = subprocess.run(["dpkg", "-S", spelling], capture_output=True, text=True)
                packages.update(re.findall(r"^([\w.+-]+)", owner.stdout, re.M))
        return sorted(packages - {"libc6", "libgcc-s1"}) or USUAL_PACKAGES
    except (OSError, subprocess.CalledProcessError):
        return USUAL_PACKAGES


def tag(library):
    """The oldest glibc that has all the library asks for, as PEP 600 spells it."""
    versions = [tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", library.read_bytes())]
    major, minor = max(versions, default=(2, 17))
    return f"py3-none-manylinux_{major}_{minor}_{platform.machine()}"


def metadata(packages):
    needs = "".join(f"Requires-External: {package}\n" for package in packages)
    return (
        f"Metadata-Version: 2.1\nName: tfc\nVersion: {version()}\nSummary: Compile Transformer models ahead of time and run them on numpy arrays\n"
        f"License: Apache-2.0 WITH LLVM-exception\nRequires-Python: >=3.11\nRequires-Dist: numpy\n{needs}Description-Content-Type: text/markdown\n\n"
        "Running compiled models (`tfc.load`) needs numpy alone. Compiling (`tfc.compile`) needs these Debian packages:\n\n"
        f"    apt install {' '.join(packages)}\n\n" + (HERE.parent / "docs" / "Python.md").read_text()
    )


class Wheel:
    """A zip archive whose bytes depend on its contents alone, with the record that a wheel has."""

    def __init__(self, path, info):
        self.file = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self.info = info
        self.record = []

    def add(self, name, contents, executable=False):
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        # pip looks for the mark of a regular file before it believes the rest.
        entry.external_attr = (0o100755 if executable else 0o100644) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        self.file.writestr(entry, contents)
        digest = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).rstrip(b"=").decode()
        self.record.append(f"{name},sha256={digest},{len(contents)}\n")

    def close(self):
        self.record.append(f"{self.info}/RECORD,,\n")
        self.file.writestr(zipfile.ZipInfo(f"{self.info}/RECORD", (1980, 1, 1, 0, 0, 0)), "".join(self.record))
        self.file.close()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Makes the wheel in the folder and returns its name (PEP 517)."""
    with tempfile.TemporaryDirectory(prefix="tfc-wheel-") as folder:
        found = binaries(folder)
        packages = debian_packages(found[TOOLS[0]]) if TOOLS[0] in found else USUAL_PACKAGES
        tags = tag(found[LIBRARY])
        name = f"tfc-{version()}-{tags}.whl"
        info = f"tfc-{version()}.dist-info"
        pathlib.Path(wheel_directory).mkdir(parents=True, exist_ok=True)
        draft = pathlib.Path(folder, name)
        wheel = Wheel(draft, info)
        for path in sorted((HERE / "tfc").iterdir()):
            if path.is_file() and path.suffix != ".pyc":
                wheel.add(f"tfc/{path.name}", path.read_bytes())
        for place, path in found.items():
            wheel.add(f"tfc/_home/{place}", path.read_bytes(), executable=True)
        wheel.add("tfc/_home/debian-packages", (" ".join(packages) + "\n").encode())
        wheel.add(f"{info}/METADATA", metadata(packages).encode())
        wheel.add(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: tfc_wheel\nRoot-Is-Purelib: false\nTag: {tags}\n".encode())
        wheel.add(f"{info}/licenses/LICENSE", (HERE.parent / "LICENSE").read_bytes())
        wheel.close()
        shutil.copy(draft, pathlib.Path(wheel_directory, name))
        return name


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    print(pathlib.Path(sys.argv[1], build_wheel(sys.argv[1])))
