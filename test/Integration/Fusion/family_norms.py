"""Families 4 and 11 to 13: norms and activations."""

import math

import numpy as np

from family_parts import *


# --- 4: residuals and norms ---------------------------------------------------------------------------------------------


@case("4-residual-norm", "fused: layer_norm: epsilon 1e-05", "fused: skip_norm: layer_norm, the residual sum is a second result")
def residual_sum_is_kept(g, x, mask):
    h = g("Add", dense(g, x), x)
    return g("Add", dense(g, layer_norm(g, h)), h)


@case("4-residual-norm", "fused: layer_norm: epsilon 1e-05", "!skip_norm")
def residual_sum_of_the_norm_alone(g, x, mask):
    return layer_norm(g, g("Add", g("Add", dense(g, x), x), weight(HIDDEN)))


@case("4-residual-norm", "fused: layer_norm: epsilon 1e-05", "fused: layer_norm: epsilon 1e-12")
def another_epsilon_per_layer(g, x, mask):
    h = g("Add", dense(g, layer_norm(g, x, 1e-5)), x)
    return layer_norm(g, h, 1e-12)


# --- 11: LayerNorm ------------------------------------------------------------------------------------------------------


def norm_case(name, told, opset=17, **keys):
    def run(g, x, mask):
        return layer_norm(g, x, opset=opset, **keys)
    run.__name__ = name
    case("11-layer-norm", *([told] if isinstance(told, str) else told), opset=opset)(run)


NORM = "fused: layer_norm: epsilon 1e-05, scale, bias, at node 'mean'"
norm_case("pow", NORM)
norm_case("mul", NORM, square="mul")
norm_case("reciprocal", NORM, root="reciprocal")
norm_case("power_of_minus_half", NORM, root="power")
norm_case("axes_as_input", NORM, opset=18)
norm_case("epsilon_1e_12", "fused: layer_norm: epsilon 1e-12, scale, bias, at node 'mean'", epsilon=1e-12)
norm_case("without_scale", "fused: layer_norm: epsilon 1e-05, at node 'mean'", scale=False)
norm_case("wrong_axis", "not fused: layer_norm: the mean is not over the last dims, at node 'mean'", axes=1)


@case("11-layer-norm", "fused: layer_norm: epsilon 1e-05, scale, bias, at node 'mean'")
def two_differences(g, x, mask):
    """Keras: x - mean is computed twice."""
    mean = g("ReduceMean", x, axes=[-1], keepdims=1)
    v = g("ReduceMean", g("Pow", g("Sub", x, mean), np.float32(2)), axes=[-1], keepdims=1, label="mean")
    y = g("Div", g("Sub", x, mean), g("Sqrt", g("Add", v, np.float32(1e-5))))
    return g("Add", g("Mul", y, weight(HIDDEN)), weight(HIDDEN))


@case("11-layer-norm", "fused: layer_norm")
def keras_batch_form(g, x, mask):
    """x * (gamma / root) + (beta - mean * (gamma / root)), as TensorFlow's batch_normalization writes it."""
    mean = g("ReduceMean", x, axes=[-1], keepdims=1)
    d = g("Sub", x, mean)
    v = g("ReduceMean", g("Mul", d, d), axes=[-1], keepdims=1, label="mean")
    inverse = g("Mul", g("Reciprocal", g("Sqrt", g("Add", v, np.float32(1e-5)))), weight(HIDDEN))
    return g("Add", g("Mul", x, inverse), g("Sub", weight(HIDDEN), g("Mul", mean, inverse)))


@case("11-layer-norm", "not fused: layer_norm: a value inside it is used elsewhere too")
def variance_is_an_output(g, x, mask):
    d = g("Sub", x, g("ReduceMean", x, axes=[-1], keepdims=1))
    v = g("ReduceMean", g("Pow", d, np.float32(2)), axes=[-1], keepdims=1, label="mean")
    return g("Div", d, g("Sqrt", g("Add", v, np.float32(1e-5)))), g("Identity", v)


@case("11-layer-norm", "not fused: layer_norm: mean and variance are taken over different axes")
def two_axes(g, x, mask):
    d = g("Sub", x, g("ReduceMean", x, axes=[1], keepdims=1))
    v = g("ReduceMean", g("Pow", d, np.float32(2)), axes=[-1], keepdims=1, label="mean")
    return g("Div", d, g("Sqrt", g("Add", v, np.float32(1e-5))))


@case("11-layer-norm", "!fused: layer_norm: epsilon")
def cubes(g, x, mask):
    d = g("Sub", x, g("ReduceMean", x, axes=[-1], keepdims=1))
    v = g("ReduceMean", g("Pow", d, np.float32(3)), axes=[-1], keepdims=1, label="mean")
    return g("Div", d, g("Sqrt", g("Add", v, np.float32(1e-5))))


# --- 12: RMSNorm --------------------------------------------------------------------------------------------------------


def rms(g, x, root="sqrt"):
    v = g("Add", g("ReduceMean", g("Pow", x, np.float32(2)), axes=[-1], keepdims=1, label="mean"), np.float32(1e-6))
    return g("Mul", x, g("Div", np.float32(1), g("Sqrt", v))) if root == "sqrt" else g("Div", x, g("Sqrt", v))


RMS = "fused: rms_norm: epsilon 1e-06, scale, at node 'mean'"


@case("12-rms-norm", RMS)
def llama(g, x, mask):
    return g("Mul", weight(HIDDEN), rms(g, x))


@case("12-rms-norm", RMS)
def t5_norm(g, x, mask):
    return g("Mul", rms(g, x, "div"), weight(HIDDEN))


@case("12-rms-norm", RMS)
def gemma(g, x, mask):
    return g("Mul", rms(g, x), g("Add", weight(HIDDEN), np.float32(1)))


@case("12-rms-norm", "fused: rms_norm: epsilon 1e-06")
def llama_in_half(g, x, mask):
    half = g("Cast", x, to=HALF)
    y = g("Cast", rms(g, g("Cast", half, to=FLOAT)), to=HALF)
    return g("Cast", g("Mul", g("Cast", weight(HIDDEN), to=HALF), y), to=FLOAT)


@case("12-rms-norm", "not fused: rms_norm: what is divided by the root is not the value whose squares were averaged")
def other_numerator(g, x, mask):
    v = g("ReduceMean", g("Pow", x, np.float32(2)), axes=[-1], keepdims=1, label="mean")
    return g("Div", g("Neg", x), g("Sqrt", g("Add", v, np.float32(1e-6))))


# --- 13: GELU and the like ----------------------------------------------------------------------------------------------


def activation_case(name, told, build):
    def run(g, x, mask):
        return build(g, x)
    run.__name__ = name
    case("13-activations", told)(run)


def erf_of(g, x, divisor=math.sqrt(2)):
    return g("Add", g("Erf", g("Div", x, np.float32(divisor)), label="erf"), np.float32(1))


def tanh_of(g, x, cube, c=math.sqrt(2 / math.pi), a=0.044715):
    return g("Add", g("Tanh", g("Mul", np.float32(c), g("Add", x, g("Mul", np.float32(a), cube(x)))), label="tanh"), np.float32(1))


ERF, TANH = "fused: gelu: erf, at node 'erf'", "fused: gelu: tanh, at node 'tanh'"
activation_case("half_last", ERF, lambda g, x: g("Mul", g("Mul", x, erf_of(g, x)), np.float32(0.5)))
activation_case("half_first", ERF, lambda g, x: g("Mul", g("Mul", x, np.float32(0.5)), erf_of(g, x)))
activation_case("half_of_the_sum", ERF, lambda g, x: g("Mul", x, g("Mul", np.float32(0.5), erf_of(g, x))))
activation_case("times_0_7071", ERF, lambda g, x: g("Mul", g("Mul", x, g("Add", g("Erf", g("Mul", x, np.float32(0.70710677)), label="erf"), np.float32(1))), np.float32(0.5)))
activation_case("tanh_of_a_power", TANH, lambda g, x: g("Mul", g("Mul", np.float32(0.5), x), tanh_of(g, x, lambda x: g("Pow", x, np.float32(3)))))
activation_case("tanh_of_products", TANH, lambda g, x: g("Mul", g("Mul", np.float32(0.5), x), tanh_of(g, x, lambda x: g("Mul", x, g("Mul", x, x)))))
activation_case("quick", "fused: gelu: quick", lambda g, x: g("Mul", x, g("Sigmoid", g("Mul", x, np.float32(1.702)))))
activation_case("silu", "fused: silu", lambda g, x: g("Mul", x, g("Sigmoid", x)))
activation_case("fast_gelu", "!not fused: gelu", lambda g, x: g("FastGelu", x, weight(HIDDEN), domain="com.microsoft"))
activation_case("wrong_divisor", "not fused: gelu: the argument of erf is 0.625 x, not 0.707107 x, at node 'erf'",
                lambda g, x: g("Mul", g("Mul", x, erf_of(g, x, 1.6)), np.float32(0.5)))
activation_case("wrong_cubic_factor", "not fused: gelu: the argument of tanh is 0.797885 x + 0.0398942 x^3, not 0.797885 x + 0.0356774 x^3, at node 'tanh'",
                lambda g, x: g("Mul", g("Mul", np.float32(0.5), x), tanh_of(g, x, lambda x: g("Pow", x, np.float32(3)), a=0.05)))
activation_case("another_factor", "not fused: gelu: ", lambda g, x: g("Mul", g("Mul", g("Neg", g("Exp", x)), erf_of(g, x)), np.float32(0.5)))


@case("13-activations", "not fused: gelu: a value inside it is used elsewhere too")
def erf_is_an_output(g, x, mask):
    e = erf_of(g, x)
    return g("Mul", g("Mul", x, e), np.float32(0.5)), g("Identity", e)


@case("13-activations", "fused: swiglu: silu, two products")
def swiglu(g, x, mask):
    a = dense(g, x, 64, bias=False)
    return g("Mul", g("Mul", a, g("Sigmoid", a)), dense(g, x, 64, bias=False))


@case("13-activations", "not fused: swiglu: its factors are products of different values")
def gate_of_other_values(g, x, mask):
    a = dense(g, x, 64, bias=False)
    return g("Mul", g("Mul", a, g("Sigmoid", a)), dense(g, g("Neg", x), 64, bias=False))
