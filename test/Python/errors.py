"""What a user can get wrong becomes tfc.Error with a sentence: errors.py COMPILER FOLDER."""

import pathlib
import sys

import numpy as np

import tfc
from harness import MODELS, assert_close, cases, expect, handwritten
from tfc import Code, Error

compiler, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)


def bad_files(artifact):
    assert expect(Error, "no such file", tfc.load, folder / "absent.so").code == Code.NOT_FOUND
    assert expect(Error, "not a shared library", tfc.load, __file__).code == Code.BAD_ARTIFACT
    assert expect(Error, "no function 'other'", tfc.load, artifact, query="other").code == Code.BAD_ARTIFACT
    expect(Error, "zero byte", tfc.load, "a\0b")
    (folder / "short.so").write_bytes(artifact.read_bytes()[:20000])
    expect(Error, "cut short", tfc.load, folder / "short.so")


def bad_inputs(model):
    inputs, expected = next(cases("bert_tiny"))
    ids = inputs["input_ids"]

    def bad(code, sentence, **changes):
        error = expect(Error, sentence, model, {**inputs, **changes})
        assert error.code == code, error.code

    bad(Code.BAD_INPUT, "'input_ids': its type is i32, but must be i64", input_ids=ids.astype(np.int32))
    bad(Code.BAD_INPUT, "'input_ids': its type is f64, but must be i64", input_ids=[[0.5]])
    bad(Code.BAD_INPUT, "'input_ids': its type is f128", input_ids=ids.astype(np.longdouble))
    bad(Code.BAD_INPUT, "'input_ids': its type is complex128", input_ids=ids * 1j)
    bad(Code.BAD_INPUT, "'input_ids': its type is <U", input_ids="words")
    bad(Code.BAD_INPUT, "'input_ids': ", input_ids=[[1], [2, 3]])
    bad(Code.BAD_INPUT, "'input_ids': its type is object", input_ids=[2**70])
    bad(Code.BAD_INPUT, "'input_ids': its rank is 0, but must be 2", input_ids=3)
    bad(Code.BAD_INPUT, "'input_ids': its rank is 20, but must be 2", input_ids=ids.reshape([1] * 18 + [*ids.shape]))
    bad(Code.BAD_INPUT, "'seq' is 1 (from input 'input_ids', dim 1)", input_ids=ids[:, :1])
    bad(Code.BAD_INDEX, "index 1000000 is outside [-101, 101)", input_ids=np.full_like(ids, 1000000))
    assert expect(Error, "by name: model(input_ids=...)", model, ids).code == Code.BAD_ARGUMENT
    bad(Code.BAD_INPUT, "no input 'nobody'; it has: 'input_ids', 'attention_mask'", nobody=ids)
    expect(Error, "input 'attention_mask' is missing", model, input_ids=ids)
    assert_close(model(inputs), expected)


def bad_outputs(model):
    inputs, expected = next(cases("bert_tiny"))
    shape = expected["last_hidden_state"].shape
    context = model.context()

    def bad(sentence, array, name="last_hidden_state", **others):
        return expect(Error, sentence, context.run, inputs, outputs={name: array, **others})

    bad("'last_hidden_state': dim 1 is", np.empty((shape[0], shape[1] + 1, shape[2]), np.float32))
    bad("its type is f64, but must be f32", np.empty(shape))
    bad("its rank is 1, but must be 3", np.empty(3, np.float32))
    bad("read-only", np.broadcast_to(np.float32(0), shape))
    bad("must be a numpy array", [1.0])
    bad("no output 'nobody'", np.empty(shape, np.float32), name="nobody")
    room = np.empty(shape, np.float32)
    shared = room.reshape(-1)[: expected["pooler_output"].size].reshape(expected["pooler_output"].shape)
    bad("share memory", room, pooler_output=shared)
    expect(Error, "no entry 'other'; it has: 'main'", context.run, inputs, entry="other")
    expect(Error, "threads is -1", model.context, threads=-1)
    expect(Error, "threads is", model.context, threads=2**40)
    assert_close(context(inputs), expected)


def data_decides(context):
    x = np.ones(5, np.float32)
    error = expect(Error, "takes 20 bytes, but its capacity is 8", context.run, {"x": x}, outputs={"positive": np.empty(2, np.float32)})
    assert error.code == Code.BUFFER_TOO_SMALL
    expect(Error, "NonZero_1", context, x=np.array([-99], np.float32))
    assert context(x=x)["positive"].tolist() == [1] * 5


artifact = tfc.compile(MODELS / "bert_tiny" / "model.op17.onnx", folder / "bert.so")
bad_files(artifact)
bad_inputs(tfc.load(artifact))
bad_outputs(tfc.load(artifact))
data_decides(tfc.load(handwritten(compiler, "compact", folder)).context())
