"""A model for each operator of `tfc-compile --list-operators`, with a node for each of its types."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from onnx_writer import *  # noqa: E402,F403

CODES = {"f32": 1, "u8": 2, "i8": 3, "u16": 4, "i16": 5, "i32": 6, "i64": 7, "bool": 9, "f16": 10, "f64": 11, "u32": 12, "u64": 13, "bf16": 16,
         "f8e4m3fn": 17, "f8e4m3fnuz": 18, "f8e5m2": 19, "f8e5m2fnuz": 20, "u4": 21, "i4": 22}
T = "T"  # the type in question
I64 = INT64
MS = "com.microsoft"


def words(text):
    return text.split()


# operator -> inputs as (dims, type), attributes, number of outputs.
X, V, M = ([2, 4], T), ([4], T), ([2, 4, 4], T)
SIGNATURES = {}


def sign(operators, inputs, outputs=1, **attributes):
    for operator in words(operators):
        SIGNATURES[operator] = (inputs, attributes, outputs)


sign("Abs Ceil Celu Cos Cosh Elu Erf Exp Floor HardSigmoid HardSwish IsInf IsNaN LeakyRelu Log LogSoftmax Mish Neg Reciprocal Relu Round Selu Shrink Sigmoid "
     "Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu Not BitwiseNot Identity Flatten NonZero Shape Size EyeLike Transpose Trilu "
     "ArgMax ArgMin Dropout QuickGelu FastGelu Gelu ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
     "ReduceSumSquare Clip Sum Mean", [X])
sign("Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mul Or Pow Sub Xor BitwiseAnd BitwiseOr BitwiseXor PRelu", [X, X])
sign("Mod", [X, X], fmod=1)
sign("Cast", [X], to=1)
sign("CastLike", [X, ([1], FLOAT)])
sign("Concat", [X, X], axis=0)
sign("MatMul FusedMatMul TransposeMatMul", [X, ([4, 2], T)])
sign("Gemm", [X, ([4, 2], T), ([2], T)])
sign("Einsum", [X, ([4, 2], T)], equation="ij,jk->ik")
sign("CumSum", [X, ([], I64)])
SIGNATURES["CumSum"] = ([X], {"constants": [([], [0])]}, 1)
SIGNATURES["Expand"] = ([V], {"constants": [([2], [3, 4])]}, 1)
SIGNATURES["Reshape"] = ([X], {"constants": [([2], [4, 2])]}, 1)
SIGNATURES["Tile"] = ([X], {"constants": [([2], [2, 1])]}, 1)
SIGNATURES["Pad"] = ([X], {"constants": [([4], [0, 1, 0, 1])]}, 1)
SIGNATURES["Squeeze"] = ([([1, 4], T)], {"constants": [([1], [0])]}, 1)
SIGNATURES["Unsqueeze"] = ([V], {"constants": [([1], [0])]}, 1)
SIGNATURES["Slice"] = ([X], {"constants": [([1], [0]), ([1], [2]), ([1], [1])]}, 1)
SIGNATURES["TopK"] = ([X], {"constants": [([1], [2])]}, 2)
SIGNATURES["Split"] = ([X], {"constants": [([2], [1, 1])]}, 2)
sign("Gather", [X, ([3], I64)])
sign("GatherElements", [X, ([2, 4], I64)])
sign("GatherND", [X, ([3, 1], I64)])
sign("Scatter ScatterElements", [X, ([2, 4], I64), X])
sign("ScatterND", [X, ([1, 1], I64), ([1, 4], T)])
sign("Compress", [X, ([2], BOOL)], axis=0)
sign("Where", [([2, 4], BOOL), X, X])
sign("Range", [([], T), ([], T), ([], T)])
SIGNATURES["OneHot"] = ([([2], I64)], {"constants": [([], [3])], "more": [([2], T)]}, 1)
sign("AveragePool MaxPool", [([1, 2, 4], T)], kernel_shape=[2])
sign("GlobalAveragePool GlobalMaxPool", [([1, 2, 4], T)])
sign("Conv", [([1, 2, 4], T), ([2, 2, 2], T), ([2], T)])
sign("BatchNormalization", [([1, 4, 2], T), V, V, V, V])
sign("InstanceNormalization", [([1, 4, 2], T), V, V])
sign("GroupNormalization", [([1, 4, 2], T), V, V], num_groups=2)
sign("LayerNormalization", [X, V, V])
sign("RMSNormalization SimplifiedLayerNormalization", [X, V])
sign("BiasGelu", [X, V])
sign("BiasAdd", [M, V, M])
sign("BiasSoftmax", [M, M], axis=2, is_inner_broadcast=0)
sign("SkipLayerNormalization", [M, M, V, V])
sign("SkipSimplifiedLayerNormalization", [M, M, V])
sign("EmbedLayerNormalization", [([2, 3], INT32), ([2, 3], INT32), ([9, 4], T), ([9, 4], T), ([9, 4], T), V, V], outputs=2)
sign("TensorScatter", [([2, 4, 4], T), ([2, 1, 4], T), ([2], I64)])
HEADS = ([2, 2, 3, 4], T)
SIGNATURES["Attention", ""] = ([HEADS, HEADS, HEADS], {}, 1)
SIGNATURES["Attention", MS] = ([([2, 3, 4], T), ([4, 12], T), ([12], T)], {"num_heads": 2}, 1)
SIGNATURES["RotaryEmbedding", ""] = ([HEADS, ([9, 2], T), ([9, 2], T), ([2, 3], I64)], {}, 1)
SIGNATURES["RotaryEmbedding", MS] = ([HEADS, ([2, 3], I64), ([9, 2], T), ([9, 2], T)], {}, 1)
sign("MultiHeadAttention", [([2, 3, 4], T)] * 3, num_heads=2)
sign("DecoderMaskedMultiHeadAttention", [([2, 1, 4], T)] * 3, num_heads=2)
SIGNATURES["GroupQueryAttention"] = ([([2, 3, 4], T), ([2, 3, 4], T), ([2, 3, 4], T), None, None, ([2], INT32), ([], INT32)], {"num_heads": 2, "kv_num_heads": 2}, 1)
sign("RelativePositionBias", [([8, 2], T), ([], I64), ([], I64)], max_distance=16)
sign("MatMulInteger", [X, ([4, 2], T)])
sign("MatMulIntegerToFloat", [X, ([4, 2], T), ([], FLOAT), ([], FLOAT)])
sign("QLinearMatMul", [X, ([], FLOAT), ([], T), ([4, 2], T), ([], FLOAT), ([], T), ([], FLOAT), ([], T)])
SIGNATURES["QAttention"] = ([([2, 3, 4], T), ([4, 12], T), ([12], FLOAT), ([], FLOAT), ([], FLOAT), None, ([], T), ([], T)], {"num_heads": 2}, 1)
sign("QuantizeLinear", [([2, 4], FLOAT), ([], FLOAT), ([], T)])
sign("DequantizeLinear", [X, ([], FLOAT)])
sign("DynamicQuantizeLinear", [X], outputs=3)
sign("DynamicQuantizeMatMul", [X, ([4, 2], UINT8), ([], FLOAT)])
SIGNATURES["MatMulNBits"] = ([([2, 32], T), ([4, 1, 16], UINT8), ([4], T)], {"K": 32, "N": 4, "bits": 4, "block_size": 32}, 1)
# What stands in attributes.
UNTYPED = {"Constant", "ConstantOfShape", "If", "Loop", "Scan"}


def build(operator, domain, types):
    """A node for each type."""
    inputs, attributes, outputs = SIGNATURES.get((operator, domain)) or SIGNATURES[operator]
    attributes = dict(attributes)
    constants, more = attributes.pop("constants", []), attributes.pop("more", [])
    infos, nodes, initializers, results = [], [], [], []
    for kind in types:
        names, made = [], [f"{kind}.y{i}" for i in range(outputs)]
        for entry in [*inputs, *[("constant", c) for c in constants], *more]:
            name = f"{kind}.x{len(names)}" if entry else ""
            names.append(name)
            if entry and entry[0] == "constant":
                initializers.append(ints(name, *entry[1]))
            elif entry:
                infos.append(value_info(name, entry[0], CODES[kind] if entry[1] == T else entry[1]))
        nodes.append(node(operator, names, made, f"node of {kind}", domain, **attributes))
        results += made
    opset = 10 if operator == "Scatter" else 24
    return model(graph(nodes, infos, results, initializers), (("", opset), (MS, 1)), ir_version=10)


def domain_of(row):
    return "" if row["domain"] == "ai.onnx" else row["domain"]


def list_operators():
    return json.loads(subprocess.run(["tfc-compile", "--list-operators", "--json"], check=True, stdout=subprocess.PIPE).stdout)


def has_types(row):
    return row["operator"] not in UNTYPED


def has_signature(row):
    return row["operator"] in SIGNATURES or (row["operator"], domain_of(row)) in SIGNATURES


def build_operator(row):
    return build(row["operator"], domain_of(row), row["types"])
