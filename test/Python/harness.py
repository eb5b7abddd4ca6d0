"""What the tests of the Python package share: models to run, and errors that must come."""

import pathlib
import subprocess
import sys

import numpy as np

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MODELS = SOURCE / "test" / "Integration" / "models"


def cases(model):
    """(inputs, outputs) of every case that lies beside a model of test/Integration/models."""
    for file in sorted((MODELS / model).glob("*.inputs.npz")):
        yield dict(np.load(file)), dict(np.load(str(file).replace(".inputs.", ".outputs.")))


def assert_close(found, expected):
    assert list(found) == list(expected), (list(found), list(expected))
    for name, array in expected.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape, name
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5, err_msg=name)


def expect(kind, sentence, function, *arguments, **named):
    """Calls the function, which must raise exactly `kind` with `sentence` in its text; gives the exception."""
    try:
        function(*arguments, **named)
    except kind as error:
        assert type(error) is kind and sentence in str(error), f"{error!r} lacks {sentence!r}"
        return error
    raise AssertionError(f"nothing was raised; wanted {kind.__name__}: {sentence}")


def handwritten(compiler, name, folder):
    """Builds a model of test/Unit/Runtime/Models, which does what no small exported model does."""
    artifact = pathlib.Path(folder) / f"{name}.so"
    source = SOURCE / "test" / "Unit" / "Runtime" / "Models" / f"{name}.c"
    command = [compiler, "-shared", "-fPIC", "-fvisibility=hidden", "-I", SOURCE / "include", source, "-o", artifact]
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
    return artifact
