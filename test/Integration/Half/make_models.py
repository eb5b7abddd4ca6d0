#!/usr/bin/env python3
"""Makes the 16-bit models of this folder. Needs torch and onnx; tests need neither.

    make_models.py models

Small BERT, GPT-2 and LLaMA modules, written as Hugging Face's are, in three forms:

    NAME_f16, NAME_bf16   what `module.half()` and `module.bfloat16()` export: weights and activations of 16 bits, with the casts to f32
                          that the modules have themselves (softmax and RMSNorm of LLaMA). Inputs and outputs of the bf16 graphs
                          are cast from and to f32: numpy has no bf16
    NAME_mixed            an f32 export that a converter made f16 (onnxconverter-common's, as Optimum uses it): inputs and outputs stay
                          f32, ops of a block list stay in f32 between casts, numbers beyond 10000 are cut off

CPUs of torch 1.13 export bfloat16 but not half, so the f16 graphs are the bf16 ones with their types exchanged; weights are numbers of bf16
in all forms. References are computed in f64.
"""
import copy, io, math, pathlib, sys
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

VOCAB, HIDDEN, HEADS, LAYERS, ROOM = 51, 32, 2, 2, 32
SIZE = HIDDEN // HEADS


def split(x, heads):
    return x.view(x.shape[0], x.shape[1], heads, SIZE).permute(0, 2, 1, 3)


def join(x):
    return x.permute(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], HIDDEN)


class BertLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(HIDDEN, HIDDEN) for _ in range(4))
        self.up, self.down = nn.Linear(HIDDEN, 4 * HIDDEN), nn.Linear(4 * HIDDEN, HIDDEN)
        self.n1, self.n2 = nn.LayerNorm(HIDDEN, eps=1e-12), nn.LayerNorm(HIDDEN, eps=1e-12)

    def forward(self, x, mask):
        q, k, v = split(self.q(x), HEADS), split(self.k(x), HEADS), split(self.v(x), HEADS)
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(SIZE) + mask
        x = self.n1(self.o(join(torch.matmul(scores.softmax(-1), v))) + x)
        return self.n2(self.down(nn.functional.gelu(self.up(x))) + x)


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(VOCAB, HIDDEN), nn.Embedding(ROOM, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.layers = nn.ModuleList(BertLayer() for _ in range(LAYERS))
        self.pool = nn.Linear(HIDDEN, HIDDEN)
        self.lowest = None

    def forward(self, input_ids, attention_mask):
        dtype = self.words.weight.dtype
        mask = (1.0 - attention_mask[:, None, None, :].to(dtype)) * self.lowest
        x = self.norm(self.words(input_ids) + self.places(torch.arange(input_ids.shape[1])))
        for layer in self.layers:
            x = layer(x, mask)
        return x, torch.tanh(self.pool(x[:, 0]))


class GptLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.o = nn.Linear(HIDDEN, 3 * HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.up, self.down = nn.Linear(HIDDEN, 4 * HIDDEN), nn.Linear(4 * HIDDEN, HIDDEN)
        self.n1, self.n2 = nn.LayerNorm(HIDDEN), nn.LayerNorm(HIDDEN)
        self.register_buffer("triangle", torch.tril(torch.ones(ROOM, ROOM, dtype=torch.uint8)).bool()[None, None])

    def forward(self, x, past, lowest):
        q, k, v = (split(t, HEADS) for t in self.qkv(self.n1(x)).split(HIDDEN, dim=2))
        k, v = torch.cat((past[0], k), -2), torch.cat((past[1], v), -2)
        scores = torch.matmul(q, k.transpose(-1, -2)) / (SIZE ** 0.5)
        allowed = self.triangle[:, :, k.shape[-2] - q.shape[-2]:k.shape[-2], :k.shape[-2]]
        scores = torch.where(allowed, scores, torch.full([], lowest, dtype=scores.dtype))
        x = x + self.o(join(torch.matmul(scores.softmax(-1).type(v.dtype), v)))
        t = self.up(self.n2(x))
        t = 0.5 * t * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (t + 0.044715 * torch.pow(t, 3.0))))
        return x + self.down(t), torch.stack((k, v))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(VOCAB, HIDDEN), nn.Embedding(ROOM, HIDDEN)
        self.layers = nn.ModuleList(GptLayer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(HIDDEN)
        self.lowest = None

    def forward(self, input_ids, position_ids, *past):
        x = self.words(input_ids) + self.places(position_ids)
        present = []
        for layer, cache in zip(self.layers, past):
            x, new = layer(x, cache, self.lowest)
            present.append(new)
        return torch.matmul(self.norm(x), self.words.weight.t()), *present


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(HIDDEN))

    def forward(self, x):
        wide = cast(x, WIDE.get(x.dtype, x.dtype))
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.weight * cast(wide, x.dtype)


WIDE = {torch.bfloat16: torch.float32, torch.float16: torch.float32}


def cast(x, dtype):
    return x if x.dtype == dtype else x.to(dtype)


KEY_HEADS = 1


def turn(x, cos, sin):
    return x * cos + torch.cat((-x[..., SIZE // 2:], x[..., :SIZE // 2]), -1) * sin


class LlamaLayer(nn.Module):
    def __init__(self):
        super().__init__()
        linear = lambda a, b: nn.Linear(a, b, bias=False)
        self.q, self.o = linear(HIDDEN, HIDDEN), linear(HIDDEN, HIDDEN)
        self.k, self.v = linear(HIDDEN, KEY_HEADS * SIZE), linear(HIDDEN, KEY_HEADS * SIZE)
        self.gate, self.up, self.down = linear(HIDDEN, 80), linear(HIDDEN, 80), linear(80, HIDDEN)
        self.n1, self.n2 = RmsNorm(), RmsNorm()

    def forward(self, x, mask, cos, sin):
        h = self.n1(x)
        q, k, v = split(self.q(h), HEADS), split(self.k(h), KEY_HEADS), split(self.v(h), KEY_HEADS)
        q, k = turn(q, cos, sin), turn(k, cos, sin)
        repeat = lambda t: t[:, :, None].expand(t.shape[0], KEY_HEADS, HEADS // KEY_HEADS, t.shape[2], SIZE).reshape(t.shape[0], HEADS, t.shape[2], SIZE)
        k, v = repeat(k), repeat(v)
        scores = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(SIZE) + mask
        p = cast(cast(scores, WIDE.get(x.dtype, x.dtype)).softmax(-1), q.dtype)
        x = x + self.o(join(torch.matmul(p, v)))
        h = self.n2(x)
        return x + self.down(nn.functional.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.norm, self.head = nn.Embedding(VOCAB, HIDDEN), RmsNorm(), nn.Linear(HIDDEN, VOCAB, bias=False)
        self.layers = nn.ModuleList(LlamaLayer() for _ in range(LAYERS))
        angle = torch.arange(ROOM)[:, None] * 10000.0 ** (-torch.arange(0, SIZE, 2) / SIZE)[None]
        angle = torch.cat((angle, angle), -1)[None, None]
        self.register_buffer("cos", angle.cos()), self.register_buffer("sin", angle.sin())
        self.register_buffer("triangle", torch.triu(torch.ones(ROOM, ROOM), 1))
        self.lowest = None

    def forward(self, input_ids, attention_mask):
        x, s = self.words(input_ids), input_ids.shape[1]
        dtype = x.dtype
        padding = (1.0 - attention_mask[:, None, None, :].to(dtype)) * self.lowest
        causal = self.triangle[:s, :s].to(dtype) * self.lowest
        mask = torch.maximum(padding + causal[None, None], torch.full([], self.lowest, dtype=dtype))
        for layer in self.layers:
            x = layer(x, mask, self.cos[:, :, :s].to(dtype), self.sin[:, :, :s].to(dtype))
        return self.head(self.norm(x))


def export(module, inputs, names, outputs, axes, opset):
    stream = io.BytesIO()
    torch.onnx.export(module, inputs, stream, input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=opset)
    return onnx.load_model_from_string(stream.getvalue())


#===-----------------------------------------------------------------------------------------------===//
# Other types
#===-----------------------------------------------------------------------------------------------===//

# Numbers of the modules, which f16 rounds less than bf16.
NUMBERS = torch.tensor([0.044715, math.sqrt(2 / math.pi), 1e-12, 1e-5, 1e-6])


def bf16_to_f16(model):
    """The same graph in f16."""
    def tensor(t):
        if t.data_type != TensorProto.BFLOAT16:
            return
        bits = np.frombuffer(t.raw_data, np.uint16) if t.raw_data else np.asarray(t.int32_data, np.uint16)
        number = (bits.astype(np.uint32) << 16).view(np.float32)
        if number.size == 1:
            known = NUMBERS[NUMBERS.bfloat16().float() == float(number[0])]
            number = known[:1].numpy() if len(known) else number
        t.CopyFrom(numpy_helper.from_array(np.clip(number, -65504, 65504).astype(np.float16).reshape(tuple(t.dims)), t.name))

    def graph(g):
        for t in g.initializer:
            tensor(t)
        for node in g.node:
            for a in node.attribute:
                if a.HasField("t"):
                    tensor(a.t)
                if a.name in ("to", "dtype") and a.i == TensorProto.BFLOAT16:
                    a.i = TensorProto.FLOAT16
                if a.HasField("g"):
                    graph(a.g)
        for v in [*g.input, *g.output, *g.value_info]:
            if v.type.tensor_type.elem_type == TensorProto.BFLOAT16:
                v.type.tensor_type.elem_type = TensorProto.FLOAT16
    graph(model.graph)
    return model


def cast_ports(model):
    """Inputs and outputs of bf16 become f32, with casts."""
    g, behind = model.graph, []
    for ports, isInput in ((g.input, True), (g.output, False)):
        for v in ports:
            if v.type.tensor_type.elem_type != TensorProto.BFLOAT16:
                continue
            v.type.tensor_type.elem_type = TensorProto.FLOAT
            inner = v.name + "_bf16"
            for node in g.node:
                names = node.input if isInput else node.output
                names[:] = [inner if n == v.name else n for n in names]
                if not isInput:
                    node.input[:] = [inner if n == v.name else n for n in node.input]
            if isInput:
                g.node.insert(0, helper.make_node("Cast", [v.name], [inner], name=inner, to=TensorProto.BFLOAT16))
            else:
                behind.append(helper.make_node("Cast", [inner], [v.name], name=inner, to=TensorProto.FLOAT))
    g.node.extend(behind)
    return model


BLOCKED = {"Softmax", "LayerNormalization", "ReduceMean", "Pow", "Sqrt", "Range", "CumSum", "Min", "Max", "Trilu"}


def convert_to_f16(model):
    """As onnxconverter-common's convert_float_to_float16 does it, with inputs and outputs kept and softmax and norms blocked."""
    g = model.graph
    inferred = onnx.shape_inference.infer_shapes(model).graph
    kinds = {v.name: v.type.tensor_type.elem_type for v in [*inferred.value_info, *inferred.input, *inferred.output]}
    kinds.update({t.name: t.data_type for t in g.initializer})

    def narrow(t):
        number = numpy_helper.to_array(t)
        tiny = (number != 0) & (np.abs(number) < 1e-7)
        number = np.clip(np.where(tiny, np.copysign(1e-7, number), number), -1e4, 1e4)
        t.CopyFrom(numpy_helper.from_array(number.astype(np.float16), t.name))

    nodes, is_half, count = [], {}, 0

    def cast(name, to):
        nonlocal count
        count += 1
        nodes.append(helper.make_node("Cast", [name], [f"cast_{count}"], name=f"cast_{count}_node", to=to))
        return f"cast_{count}"

    floats = {name for name, kind in kinds.items() if kind == TensorProto.FLOAT}
    only_blocked = lambda name: all(n.op_type in BLOCKED for n in g.node if name in n.input)
    for t in g.initializer:
        is_half[t.name] = t.name in floats and not only_blocked(t.name)
        if is_half[t.name]:
            narrow(t)
    for v in g.input:
        is_half[v.name] = False
    memo = {}
    for node in g.node:
        blocked = node.op_type in BLOCKED
        want = not blocked
        if node.op_type == "Constant" and node.attribute[0].t.data_type == TensorProto.FLOAT:
            narrow(node.attribute[0].t)
            is_half[node.output[0]] = True
            nodes.append(node)
            continue
        for i, name in enumerate(node.input):
            if name in floats and is_half.get(name, False) != want:
                key = (name, want, node.name if blocked else "")
                if key not in memo:
                    memo[key] = cast(name, TensorProto.FLOAT16 if want else TensorProto.FLOAT)
                node.input[i] = memo[key]
        for a in node.attribute:
            if a.name == "to" and a.i == TensorProto.FLOAT and not blocked:
                a.i = TensorProto.FLOAT16
            if a.name == "value" and a.t.data_type == TensorProto.FLOAT and not blocked:
                narrow(a.t)
        nodes.append(node)
        for i, name in enumerate(node.output):
            is_half[name] = name in floats and not blocked
            if blocked and name in floats:
                node.output[i] = name + "_f32"
                nodes.append(helper.make_node("Cast", [name + "_f32"], [name], name=name + "_cast", to=TensorProto.FLOAT16))
                is_half[name] = True
    for v in g.output:
        if v.name in floats and is_half[v.name]:
            for node in nodes:
                node.input[:] = [v.name + "_f16" if i == v.name else i for i in node.input]
                node.output[:] = [v.name + "_f16" if o == v.name else o for o in node.output]
            nodes.append(helper.make_node("Cast", [v.name + "_f16"], [v.name], name=v.name + "_back", to=TensorProto.FLOAT))
    del g.node[:], g.value_info[:]
    g.node.extend(nodes)
    return model


#===-----------------------------------------------------------------------------------------------===//
# Models and their cases
#===-----------------------------------------------------------------------------------------------===//

def encoder_cases(rng):
    for batch, length in ((1, 16), (2, 7), (3, 1)):
        mask = np.ones((batch, length), np.int64)
        if batch > 1 and length > 4:
            mask[1, 4:] = 0
        yield f"{batch}x{length}", [("input_ids", rng.integers(0, VOCAB, (batch, length))), ("attention_mask", mask)]


def decoder_cases(rng):
    for batch, length, past in ((1, 1, 16), (2, 3, 5), (2, 7, 0)):
        places = np.tile(np.arange(past, past + length), (batch, 1))
        # Numbers of few digits, which bf16 has too.
        caches = [(f"past_{i}", (np.round(rng.standard_normal((2, batch, HEADS, past, SIZE)) * 64) / 128).astype(np.float16)) for i in range(LAYERS)]
        yield f"{batch}x{length}x{past}", [("input_ids", rng.integers(0, VOCAB, (batch, length))), ("position_ids", places), *caches]


def check(folder, name, module, opset, cases, outputs):
    torch.manual_seed(sum(map(ord, name)))
    for n, p in module.named_parameters():
        isScale = p.dim() == 1 and n.endswith("weight")
        spread = 0.5 if n.startswith(("words", "places")) else p.shape[-1] ** -0.5 if p.dim() == 2 else 0.1
        p.data = torch.randn_like(p) * spread + isScale
    for t in [*module.parameters(), *module.buffers()]:
        if t.is_floating_point():
            t.data = t.data.bfloat16().float()
    for form in ("f16", "bf16", "mixed"):
        dtype = torch.float32 if form == "mixed" else torch.bfloat16
        lowest = -1e4 if form == "mixed" else float(torch.finfo(torch.bfloat16).min)
        made = list(cases(np.random.default_rng(sum(map(ord, name + form)))))
        narrow = copy.deepcopy(module).to(dtype)
        narrow.lowest = lowest
        to_input = lambda a: torch.from_numpy(a).to(dtype) if a.dtype == np.float16 else torch.from_numpy(a)
        names = [n for n, _ in made[1][1]]
        axes = {n: {1: "batch", 3: "past"} if n.startswith("past") else {0: "batch", 1: "seq"} for n in names}
        model = export(narrow, tuple(to_input(a) for _, a in made[1][1]), names, outputs, axes, opset)
        model = {"f16": bf16_to_f16, "bf16": cast_ports, "mixed": convert_to_f16}[form](model)
        onnx.checker.check_model(model)
        where = folder / f"{name}_{form}"
        where.mkdir(parents=True, exist_ok=True)
        onnx.save(model, str(where / f"model.op{opset}.onnx"))
        reference = copy.deepcopy(module).double()
        reference.lowest = lowest
        for case, arrays in made:
            given = {n: a if a.dtype != np.float16 or form == "f16" else a.astype(np.float32) for n, a in arrays}
            with torch.no_grad():
                found = reference(*(torch.from_numpy(a).double() if a.dtype.kind == "f" else torch.from_numpy(a) for a in given.values()))
            found = found if isinstance(found, tuple) else (found,)
            np.savez(where / f"{case}.inputs.npz", **given)
            np.savez(where / f"{case}.outputs.npz", **{n: t.numpy().astype(np.float16 if form == "f16" else np.float32) for n, t in zip(outputs, found)})


def main():
    folder = pathlib.Path(sys.argv[1])
    check(folder, "bert", Bert(), 17, encoder_cases, ["hidden", "pooled"])
    check(folder, "bert11", Bert(), 11, encoder_cases, ["hidden", "pooled"])
    check(folder, "gpt2", Gpt(), 17, decoder_cases, ["logits", *(f"present_{i}" for i in range(LAYERS))])
    check(folder, "llama", Llama(), 17, encoder_cases, ["logits"])


if __name__ == "__main__":
    main()
