"""decode.py ARTIFACT [--few] [FLAG...]: attention of few queries over many keys (docs/design/20261122-decode.md)."""

import pathlib
import sys

import numpy as np

import tfc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Codegen" / "CPU"))
from attention_cases import reference

ARTIFACT, FLAGS = sys.argv[1], [flag for flag in sys.argv[2:] if flag != "--few"]
rng = np.random.default_rng(4)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


class Attention:
    """One attention of the model, over its symbols batch, seq and keys."""

    def __init__(self, name, heads, key_heads, dim, value_dim, words="", mask=None, bias=None, lengths=False, **meaning):
        self.name, self.heads, self.key_heads, self.dim, self.value_dim, self.words = name, heads, key_heads, dim, value_dim, words
        self.mask, self.bias, self.lengths, self.meaning = mask, bias, lengths, meaning

    def ports(self):
        """Names, dims and element types of the inputs."""
        yield "q", f"batch, {self.heads}, seq, {self.dim}", "f32"
        yield "k", f"batch, {self.key_heads}, keys, {self.dim}", "f32"
        yield "v", f"batch, {self.key_heads}, keys, {self.value_dim}", "f32"
        if self.mask:
            yield "mask", self.mask, "i1"
        if self.bias:
            yield "bias", self.bias, "f32"
        if self.lengths:
            yield "n", "batch", "i64"

    def source(self):
        names = [f"%{self.name}_{port}" for port, _, _ in self.ports()]
        types = [tensor(dims, element) for _, dims, element in self.ports()]
        operands = dict(zip((port for port, _, _ in self.ports()), names))
        extra = "".join(f" {word} {operands[port]}" for word, port in (("mask", "mask"), ("bias", "bias"), ("key_lengths", "n")) if port in operands)
        self.output = tensor(f"batch, {self.heads}, seq, {self.value_dim}", "f32")
        arguments = [f'{name}: {kind} {{tfc.name = "{name[1:]}"}}' for name, kind in zip(names, types)]
        line = f"%{self.name} = tfc.attention {', '.join(names[:3])}{extra} {self.words} : ({', '.join(types)}) -> {self.output}"
        return arguments, line

    def inputs(self, batch, seq, keys):
        values = {"batch": batch, "seq": seq, "keys": keys}
        made = {}
        for port, dims, element in self.ports():
            shape = [values.get(dim.strip()) or int(dim) for dim in dims.split(",")]
            made[port] = normal(*shape) if element == "f32" else rng.random(shape) < 0.7 if element == "i1" else rng.integers(keys // 2, keys + 2, shape)
        if self.mask:
            made["mask"][:1, :, :1] = False  # A query that is allowed none.
        return {f"{self.name}_{port}": array for port, array in made.items()}

    def expected(self, inputs):
        of = lambda port: inputs.get(f"{self.name}_{port}")
        return reference(of("q"), of("k"), of("v"), self.dim**-0.5, of("bias"), of("mask"), lengths=of("n"), **self.meaning)


def tensor(dims, element):
    shape = "x".join("?" if not dim.strip().isdigit() else dim.strip() for dim in dims.split(","))
    return f"tensor<{shape}x{element}, #tfc.dims<{dims}>>"


ATTENTIONS = [
    Attention("plain", 2, 2, 64, 64),
    Attention("uneven", 1, 1, 24, 51),
    Attention("grouped", 8, 2, 32, 32),
    Attention("shared", 9, 1, 16, 40),
    Attention("causal", 4, 2, 16, 16, "{causal}", causal=True),
    # Where queries outnumber keys that count, some are allowed none.
    Attention("lengths", 2, 2, 16, 16, "{causal}", lengths=True, causal=True),
    Attention("window", 4, 2, 16, 16, "{causal, window_left = 700 : i64}", causal=True, left=700),
    Attention("near", 4, 4, 16, 16, "masked_row zero {window_left = 3 : i64, window_right = 2 : i64}", left=3, right=2, masked_row="zero"),
    Attention("masked", 4, 2, 16, 16, mask="batch, 4, seq, keys", bias="4, 1, keys"),
    Attention("nothing", 2, 1, 16, 16, "masked_row zero", mask="batch, 1, seq, keys", masked_row="zero"),
    Attention("keymask", 2, 1, 16, 16, "{causal}", mask="batch, 1, 1, keys", causal=True),
]

if "--few" in sys.argv:
    ATTENTIONS = [attention for attention in ATTENTIONS if attention.name in ("plain", "uneven", "grouped", "window")]


def compile_model():
    parts = [attention.source() for attention in ATTENTIONS]
    arguments = ", ".join(argument for lines, _ in parts for argument in lines)
    results = ", ".join(f'{attention.output} {{tfc.name = "{attention.name}"}}' for attention in ATTENTIONS)
    types = ", ".join(attention.output for attention in ATTENTIONS)
    body = "\n".join(line for _, line in parts)
    path = pathlib.Path(ARTIFACT).with_suffix(".mlir")
    path.write_text(f'module attributes {{tfc.model_name = "decode"}} {{\nfunc.func @main({arguments}) -> ({results}) attributes {{tfc.entry}} {{\n{body}\n'
                    f'return {", ".join("%" + attention.name for attention in ATTENTIONS)} : {types}\n}}\n}}\n')
    tfc.compile(path, ARTIFACT, *FLAGS)
    return tfc.load(ARTIFACT)


def make_inputs(*sizes):
    inputs = {}
    for attention in ATTENTIONS:
        inputs.update(attention.inputs(*sizes))
    return inputs


def same(found, expected, what):
    for name in expected:
        assert found[name].tobytes() == np.ascontiguousarray(expected[name]).tobytes(), f"{what}: {name} has other bits"


def check_numbers(model):
    contexts = {threads: model.context(threads=threads) for threads in (1, 2, 3)}
    # 1024 keys are not cut, 1025 are; 32 rows of a head of keys are few, 33 are not.
    for batch, seq, keys in ((1, 1, 1024), (1, 1, 1025), (3, 1, 1537), (2, 3, 1100), (1, 4, 2048), (1, 8, 1300), (1, 16, 1025), (1, 32, 1111), (1, 33, 1111)):
        inputs = make_inputs(batch, seq, keys)
        whole = contexts[1].run(inputs)
        for attention in ATTENTIONS:
            np.testing.assert_allclose(whole[attention.name], attention.expected(inputs), rtol=1e-5, atol=1e-5,
                                       err_msg=f"{attention.name} of {batch}, {seq}, {keys}")
        for threads in (2, 3):
            same(contexts[threads].run(inputs), whole, f"{threads} threads, {seq}, {keys}")
        for row in range(batch if batch > 1 else 0):
            alone = {name: array[row : row + 1] if len(array) == batch and not name.endswith("bias") else array for name, array in inputs.items()}
            same(contexts[2].run(alone), {name: array[row : row + 1] for name, array in whole.items()}, f"row {row} alone, {seq}, {keys}")


def check_special(model):
    """NaN and infinity in one part of the keys reach the queries that count it, and no others."""
    inputs = make_inputs(1, 2, 1600)
    inputs["plain_k"][:, :1, 600, 3] = np.nan
    inputs["plain_v"][:, 1:, 1599, 5] = np.inf
    inputs["uneven_q"][:, :, 1, 0] = np.inf
    inputs["window_v"][:, :, :800] = np.nan  # Before every window.
    results = model(inputs)
    assert np.isnan(results["plain"][:, 0]).all()
    assert np.isinf(results["plain"][:, 1, :, 5]).all() and np.isfinite(results["plain"][:, 1, :, :5]).all()
    assert np.isnan(results["uneven"][:, :, 1]).all() and np.isfinite(results["uneven"][:, :, 0]).all()
    assert np.isfinite(results["window"]).all()


def check_in_place():
    """A cache that is extended where it lies gives the bits of one that is copied, and those of another number of threads."""
    heads, size, room, names = 2, 16, 1700, [f"0.{kind}" for kind in ("key", "value")]
    artifact = ARTIFACT + ".gpt.so"
    tfc.compile(None, artifact, "--builtin", "gpt", "--config", f"hidden={heads * size},layers=1,heads={heads},intermediate=16,vocab=20,positions={room}", *FLAGS)
    model = tfc.load(artifact)
    past = 1535
    buffers = {name: np.full((1, heads, room, size), np.nan, np.float32) for name in names}
    for buffer in buffers.values():
        buffer[:, :, :past] = normal(1, heads, past, size)
    with model.context(threads=2) as context, model.context(threads=1) as other:
        for length in range(past, past + 4):
            inputs = {"input_ids": rng.integers(0, 20, (1, 1)), "attention_mask": np.ones((1, length + 1), np.int64)}
            separate = other.run({**inputs, **{f"past_key_values.{name}": buffer[:, :, :length].copy() for name, buffer in buffers.items()}})
            own = context.run({**inputs, **{f"past_key_values.{name}": buffer[:, :, :length] for name, buffer in buffers.items()}},
                              outputs={f"present.{name}": buffer[:, :, : length + 1] for name, buffer in buffers.items()})
            same(own, separate, f"in place, past {length}")
            assert all(np.isnan(buffer[:, :, length + 1 :]).all() for buffer in buffers.values())


model = compile_model()
check_numbers(model)
check_special(model)
check_in_place()
