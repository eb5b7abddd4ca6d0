"""Artifacts as they are carried: most of one is the text of its kernels, which becomes a tenth."""

import gzip
import shutil


def pack(path):
    """FILE becomes FILE.gz, and its size is given."""
    packed = path.with_name(path.name + ".gz")
    with open(path, "rb") as file, gzip.open(packed, "wb", 6) as out:
        shutil.copyfileobj(file, out)
    path.unlink()
    return packed.stat().st_size


def unpack(folder, place):
    """A copy of the folder, with its files as they were."""
    shutil.copytree(folder, place)
    for packed in place.glob("*.gz"):
        with gzip.open(packed, "rb") as file, open(packed.with_suffix(""), "wb") as out:
            shutil.copyfileobj(file, out)
        packed.unlink()
    return place
