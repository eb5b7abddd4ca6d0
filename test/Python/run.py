"""Runs real models from Python and compares numbers: run.py COMPILER FOLDER."""

import pathlib
import sys

import numpy as np

import tfc
from harness import MODELS, assert_close, cases, handwritten

compiler, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)


def describe(model):
    assert [port.name for port in model.inputs] == ["input_ids", "attention_mask", "token_type_ids"]
    assert model.inputs[0] == tfc.Port("input_ids", "i64", np.dtype(np.int64), ("batch", "seq"))
    assert model.outputs[0].dims == ("batch", "seq", 64)
    # The model has embeddings of 64 positions.
    assert [(symbol.name, symbol.min, symbol.max) for symbol in model.symbols] == [("batch", 0, None), ("seq", 0, 64)], model.symbols
    assert list(model.entries) == ["main"] and model.entries["main"].inputs == model.inputs
    assert "tfc" in model.producer and "input_ids: i64[batch, seq]" in repr(model)


def layouts(model):
    """Strided, reversed, byte-swapped and misaligned inputs, and lists, give what row-major ones give, bit by bit."""
    inputs, expected = next(cases("bert_tiny"))
    plain = model(inputs)
    assert_close(plain, expected)
    rows, columns = inputs["input_ids"].shape
    spread = np.zeros((rows * 2, columns * 3), np.int64)[::2, ::3]
    spread[:] = inputs["input_ids"]
    records = np.zeros((rows, columns), [("odd", "i1"), ("ids", "i8")])
    records["ids"] = inputs["input_ids"]
    for ids in (
        spread,
        np.asfortranarray(inputs["input_ids"]),
        inputs["input_ids"][::-1, ::-1].copy()[::-1, ::-1],
        inputs["input_ids"].astype(">i8"),
        records["ids"],
        inputs["input_ids"].tolist(),
    ):
        again = model({**inputs, "input_ids": ids})
        assert all(np.array_equal(again[name], plain[name]) for name in plain)


def given_outputs(model):
    """Results are written where the caller wants them, strides and all; the arrays come back as they are."""
    inputs, expected = next(cases("bert_tiny"))
    shape = expected["last_hidden_state"].shape
    wide = np.full((*shape[:-1], shape[-1] * 2), np.float32(7))
    with model.context() as context:
        found = context.run(inputs, outputs={"last_hidden_state": wide[..., ::2]})
        assert np.shares_memory(found["last_hidden_state"], wide)
        assert_close(found, expected)
        assert (wide[..., 1::2] == 7).all()
        fresh = context(inputs)["last_hidden_state"]
        assert not np.shares_memory(fresh, context(inputs)["last_hidden_state"])


def bits_of_bf16():
    source = folder / "half.mlir"
    dims = "tensor<?x4xbf16, #tfc.dims<n, 4>>"
    source.write_text(
        f'func.func @main(%x: {dims} {{tfc.name = "x.in"}}) -> ({dims} {{tfc.name = "y"}}) attributes {{tfc.entry}} {{\n'
        f"  %y = tfc.add %x, %x : {dims}, {dims}\n  return %y : {dims}\n}}\n"
    )
    model = tfc.load(tfc.compile(source, folder / "half.so"))
    assert model.inputs[0].dtype == "bf16" and model.inputs[0].numpy == np.uint16
    numbers = np.arange(12, dtype=np.float32).reshape(3, 4)
    doubled = model({"x.in": (numbers.view(np.uint32) >> 16).astype(np.uint16)})["y"]
    assert doubled.dtype == np.uint16
    assert np.array_equal((doubled.astype(np.uint32) << 16).view(np.float32), numbers * 2)
    assert model({"x.in": np.empty((0, 4), np.uint16)})["y"].shape == (0, 4)


def sizes_from_data():
    """An output whose size the data decides: made to measure, or the used part of an array that was given."""
    model = tfc.load(handwritten(compiler, "compact", folder))
    assert model.symbols[1].from_data and not model.symbols[0].from_data and model.outputs[0].dims == ("found",)
    x = np.array([1, -2, 3, 4, -5], np.float32)
    with model.context(threads=1) as context:
        assert context(x=x)["positive"].tolist() == [1, 3, 4]
        assert context(x=-x)["positive"].tolist() == [2, 5]
        assert context(x=x[:0])["positive"].shape == (0,)
        room = np.zeros(10, np.float32)
        used = context.run({"x": x}, outputs={"positive": room})["positive"]
        assert used.tolist() == [1, 3, 4] and np.shares_memory(used, room)
        spread = np.zeros(10, np.float32)
        used = context.run({"x": x}, outputs={"positive": spread[::2]})["positive"]
        assert used.tolist() == [1, 3, 4] and spread[:5].tolist() == [1, 0, 3, 0, 4]


def profiled(model, inputs):
    """Kernels and what is no kernel make up a run; every launch of the model is there, warm-up is not."""
    profile = model.profile(inputs, repeat=5, warmup=3, threads=1)
    assert len(profile.run_ms) == 5 and profile.profiler_ms > 0, profile
    whole = sum(profile.run_ms) / 5
    assert 0 < sum(kernel.ms for kernel in profile.kernels) < whole, profile
    assert sum(kernel.calls for kernel in profile.kernels) == 19 and {kernel.name for kernel in profile.kernels} >= {"attention_0"}, profile
    flops = {kernel.name: kernel.flops for kernel in profile.kernels}["matmul_1"]
    batch, seq = inputs["input_ids"].shape
    assert flops == 2 * 2 * batch * seq * 64 * 128, flops
    assert "outside kernels" in str(profile) and "whole run" in str(profile)


with tfc.load(tfc.compile(MODELS / "bert_tiny" / "model.op17.onnx", folder / "bert.so")) as bert:
    describe(bert)
    for inputs, outputs in cases("bert_tiny"):
        assert_close(bert(**inputs), outputs)
    layouts(bert)
    profiled(bert, next(cases("bert_tiny"))[0])
    given_outputs(bert)
past = tfc.load(tfc.compile(MODELS / "gpt2_tiny_past" / "model.op17.onnx", str(folder / "past.so")))
for inputs, outputs in cases("gpt2_tiny_past"):
    assert_close(past(inputs), outputs)
assert past.outputs[1].dims == ("batch", 4, "past_seq + seq", 16)
bits_of_bf16()
sizes_from_data()
