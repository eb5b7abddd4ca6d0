"""Probabilities of attentions: attention_map.py FOLDER."""

import pathlib
import subprocess
import sys

import numpy as np
from harness import MODELS, assert_close, cases

import tfc

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
source = MODELS / "bert_tiny" / "model.op17.onnx"
model = tfc.compile(source, None, "--emit-attention")
names = [port.name for port in model.outputs]
assert names[-2:] == ["attention.0", "attention.1"], names
for inputs, expected in cases("bert_tiny"):
    outputs = model(inputs)
    maps = {name: outputs.pop(name) for name in names[-2:]}
    assert_close(outputs, expected)
    batch, length = inputs["input_ids"].shape
    for array in maps.values():
        assert array.shape[0] == batch and array.shape[2:] == (length, length), array.shape
        assert (array >= 0).all() and np.allclose(array.sum(-1), 1, atol=1e-5)
        padding = inputs["attention_mask"][:, None, None, :] == 0
        rows = ~np.broadcast_to(padding.all(-1, keepdims=True), array.shape)
        assert (array[np.broadcast_to(padding, array.shape) & rows] < 1e-6).all()

# A tensor by the name of its node, next to the outputs: a softmax is the same as the fused attention's probabilities.
softmaxes = tfc.compile(source, None, "--expose=Softmax$")
inputs, expected = next(cases("bert_tiny"))
exposed = softmaxes(inputs)
found = [name for name in exposed if name.endswith("Softmax")]
assert len(found) == 2, list(exposed)
probabilities = model(inputs)
for name, wanted in zip(found, ("attention.0", "attention.1")):
    np.testing.assert_allclose(exposed[name].reshape(probabilities[wanted].shape), probabilities[wanted], atol=1e-6)

try:
    import matplotlib
except ImportError:
    print("no matplotlib: nothing is drawn")
else:
    case = MODELS / "bert_tiny" / "2x7"
    command = [sys.executable, "-m", "tfc.attention_map", source, "--inputs", f"{case}.inputs.npz", "-o", folder / "maps", "--batch", "1"]
    subprocess.run(list(map(str, command)), check=True)
    pictures = sorted((folder / "maps").glob("*.png"))
    assert [picture.name for picture in pictures] == ["attention.0.png", "attention.1.png"], pictures
    assert all(picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and picture.stat().st_size > 5000 for picture in pictures)
    refused = subprocess.run([*map(str, command[:-1]), "9"], capture_output=True, text=True)
    assert refused.returncode == 2 and "--batch 9" in refused.stderr, refused
