"""The parts of a check, each run in a process of its own: what fails on a GPU may take its process along.

A part writes its findings line by line, as JSON, so that what it found before it died is known.
"""

import json
import math
import platform
import subprocess
import time

import device


class Part:
    def __init__(self, folder, emulate, out, deadline):
        self.folder, self.emulate, self.deadline = folder, emulate, deadline
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.file = open(out, "a", buffering=1)
        self.device = "cuda"

    def say(self, **found):
        print(json.dumps(found), file=self.file)

    def artifacts(self, kind):
        return [artifact for artifact in self.manifest["artifacts"] if artifact["kind"] == kind and "file" in artifact]

    def load(self, artifact):
        import tfc

        return tfc.load(self.folder / artifact["file"])

    def is_late(self):
        return time.time() > self.deadline

    def each(self, artifacts, work):
        """An artifact that fails is reported, and the next one has its turn."""
        for artifact in artifacts:
            if self.is_late():
                self.say(name=artifact["name"], skipped="no time was left")
                continue
            try:
                work(artifact)
            except Exception as problem:  # noqa: BLE001
                self.say(name=artifact["name"], error=f"{type(problem).__name__}: {problem}"[:600])


def smi(*fields):
    try:
        result = subprocess.run(["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"], capture_output=True, text=True, timeout=30)
        return dict(zip(fields, (word.strip() for word in result.stdout.splitlines()[0].split(","))))
    except (OSError, IndexError, subprocess.SubprocessError):
        return {}


def environment(part, torch):
    found = {"date": time.strftime("%Y-%m-%d %H:%M:%S"), "machine": platform.machine(), "python": platform.python_version(), "emulated": part.emulate,
             **smi("name", "driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm", "clocks.max.mem", "power.limit", "memory.total", "temperature.gpu")}
    if torch is not None:
        found["torch"] = torch.__version__
        found["cuda"] = str(torch.version.cuda)
    part.say(part="environment", **found)


def peaks(part, torch):
    """The ceilings: products and copies of PyTorch on this machine."""
    on_gpu = not part.emulate
    where = "cuda" if on_gpu else "cpu"
    timer = device.Timer(torch, on_gpu)
    size = 8192 if on_gpu else 128
    for name, dtype in (("bf16", torch.bfloat16), ("f16", torch.float16), ("f32", torch.float32)) if on_gpu else (("f32", torch.float32),):
        a, b = (torch.randn(size, size, device=where).to(dtype) for _ in range(2))
        out = torch.empty(size, size, device=where, dtype=dtype)
        ms = timer.graph(lambda: torch.matmul(a, b, out=out))
        part.say(part="peaks", what=f"{name} product {size}^3 by PyTorch", ms=ms, tflops=2 * size ** 3 / ms * 1e-9)
    count = (1 << 30) if on_gpu else (1 << 20)
    x = torch.empty(count, dtype=torch.float32, device=where)
    y = torch.empty_like(x)
    ms = timer.events(lambda: y.copy_(x))
    part.say(part="peaks", what="copy, bytes read and written", ms=ms, tbytes=8 * count / ms * 1e-9)
    if on_gpu:
        part.say(part="peaks", what="clocks behind the products", **smi("clocks.sm", "clocks.mem", "temperature.gpu", "power.draw"))


def kernels(part, artifact, done):
    """All cases of one artifact but those that are done."""
    import kernels as tests

    model = part.load(artifact)
    context = model.context(device=part.device)
    for name in artifact["cases"]:
        for sizes in tests.CASES[name].sizes:
            key = f"{artifact['name']} {name} {list(sizes)}"
            if key in done:
                continue
            if part.is_late():
                part.say(key=key, skipped="no time was left")
                continue
            part.say(key=key, begins=True)
            try:
                problem, worst = tests.check(context, model.entries[name], name, sizes)
                part.say(key=key, case=name, target=artifact["target"], sizes=list(sizes), problem=problem, worst=worst if math.isfinite(worst) else 1e30)
            except Exception as failure:  # noqa: BLE001
                part.say(key=key, case=name, target=artifact["target"], sizes=list(sizes), problem=f"{type(failure).__name__}: {failure}"[:400])
                if "on the GPU" in str(failure):
                    raise SystemExit(3)  # the device's context is of no use any more


def network_of(torch, artifact, model, dtype, where):
    import networks

    config = artifact["config"]
    return networks.make(config["family"], model.weights(), config["layers"], config["heads"], dtype, where)


def port_types(torch, model):
    return {port.name: device.torch_type(torch, port.dtype) for port in model.inputs}


TOLERANCE = {"f32": 1e-4, "f16": 1e-2, "bf16": 3e-2}


def models(part, torch, artifact, compiles):
    import networks

    on_gpu = not part.emulate
    where = "cuda" if on_gpu else "cpu"
    model = part.load(artifact)
    config, precision = artifact["config"], artifact["precision"]
    dtype = device.torch_type(torch, precision)
    clock = device.Clock()
    import tfc

    context = tfc.Context(model, device=part.device, recorder=clock, stream=torch.cuda.current_stream().cuda_stream or None if on_gpu else None)
    exact = network_of(torch, artifact, model, torch.float32, where)
    timer = device.Timer(torch, on_gpu)

    def run(number, sizes):
        row = {"part": "models", "name": artifact["name"], "model": artifact["model"], "precision": precision, "sizes": sizes}
        inputs = networks.make_inputs(config["family"], config, sizes, torch.float32, where)
        types = port_types(torch, model)
        ours = {name: tensor.to(types[name]) for name, tensor in inputs.items()}
        with torch.no_grad():
            expected = exact(*(tensor.float() if tensor.is_floating_point() else tensor for tensor in ours.values()))
        prepared = device.Prepared(context, ours, device.empty_outputs(torch, context, ours, on_gpu))
        prepared()
        found = device.as_tensors(torch, model.entries["main"], prepared.results.arrays())
        names = list(found)[: 2 if config["family"] == "bert" else 1]
        row["error"] = max(device.relative_error(torch, found[name], reference.detach().to("cpu").double()) for name, reference in zip(names, expected))
        row["allowed"] = TOLERANCE[precision]
        row["right"] = row["error"] <= row["allowed"]
        del expected
        part.say(**row)
        if number == 0 and on_gpu:
            return  # odd sizes, for the numbers alone
        row["gpu_ms"], row["call_ms"] = timer.ours(prepared, clock)
        part.say(**row)
        same = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}
        row.update(torch_times(torch, artifact, model, dtype, where, same, timer, compiles and on_gpu))
        part.say(**row)

    for number, sizes in enumerate(artifact["runs"]):
        name = f"{artifact['name']} {sizes}"
        try:
            if part.is_late():
                part.say(name=name, skipped="no time was left")
            else:
                run(number, sizes)
        except Exception as problem:  # noqa: BLE001
            part.say(name=name, error=f"{type(problem).__name__}: {problem}"[:600])


def torch_times(torch, artifact, model, dtype, where, inputs, timer, compiles):
    """PyTorch with SDPA: eager, as a CUDA graph, and compiled, as a CUDA graph too."""
    network = network_of(torch, artifact, model, dtype, where)
    arguments = tuple(inputs.values())
    found = {}
    with torch.no_grad():
        for name, measure, function in (("torch_eager_ms", timer.events, network), ("torch_graph_ms", timer.graph, network),
                                        ("torch_compile_ms", timer.graph, torch.compile(network, dynamic=False) if compiles else None)):
            try:
                if function is not None:
                    found[name] = measure(lambda: function(*arguments))
            except Exception as problem:  # noqa: BLE001
                found[name.replace("_ms", "_error")] = f"{type(problem).__name__}: {problem}"[:200]
    return found


def warm(part, torch, artifact):
    """Compiles what `models` will want, so that it comes out of PyTorch's cache there."""
    import networks

    model = part.load(artifact)
    dtype = device.torch_type(torch, artifact["precision"])
    network = torch.compile(network_of(torch, artifact, model, dtype, "cuda"), dynamic=False)
    for sizes in artifact["runs"][1:]:
        if part.is_late():
            return
        inputs = networks.make_inputs(artifact["config"]["family"], artifact["config"], sizes, dtype, "cuda")
        with torch.no_grad():
            network(*inputs.values())
    part.say(part="warm", name=artifact["name"])


def growing(part, torch, artifact, steps=64):
    """Tokens a second when the past grows, so that each step is another shape."""
    import networks

    model = part.load(artifact)
    config, types = artifact["config"], port_types(torch, model)
    on_gpu = not part.emulate
    where = "cuda" if on_gpu else "cpu"
    past = 512 if on_gpu else 3
    steps = steps if on_gpu else 2
    context = model.context(device=part.device)
    inputs = networks.make_inputs(config["family"], config, {"batch": 1, "seq": 1, "past": past}, torch.float32, where)
    inputs = {name: tensor.to(types[name]) for name, tensor in inputs.items()}

    def step():
        outputs = context.run(inputs, outputs=device.empty_outputs(torch, context, inputs, on_gpu))
        for name in inputs:
            if name.startswith("past_key_values"):
                made = outputs[name.replace("past_key_values", "present")]
                inputs[name] = made if on_gpu else torch.from_numpy(made)
        mask = inputs["attention_mask"]
        inputs["attention_mask"] = torch.cat([mask, mask[:, :1]], 1)

    for _ in range(3 if on_gpu else 1):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    part.say(part="growing", name=artifact["name"], steps=steps, past=past, tokens_per_s=steps / (time.perf_counter() - start))


def gemm(part, torch, artifact):
    import tfc

    on_gpu = not part.emulate
    where = "cuda" if on_gpu else "cpu"
    dtype, size = device.torch_type(torch, artifact["element"]), artifact["size"]
    clock = device.Clock()
    model = part.load(artifact)
    context = tfc.Context(model, device=part.device, recorder=clock)
    timer = device.Timer(torch, on_gpu)
    for rows in artifact["rows"]:
        a, b = (torch.randn(m, size, device=where).to(dtype) for m in (rows, size))
        inputs = {"a": a, "b": b}
        prepared = device.Prepared(context, inputs, device.empty_outputs(torch, context, inputs, on_gpu))
        prepared()
        found = device.as_tensors(torch, model.entries["main"], prepared.results.arrays())["c"]
        expected = (a.float() @ b.float()).double().cpu() if artifact["element"] != "f32" else (a.double() @ b.double()).cpu()
        row = {"part": "gemm", "name": artifact["name"], "rows": rows, "size": size, "element": artifact["element"],
               "error": device.relative_error(torch, found, expected), "allowed": {"f32": 1e-5, "f16": 3e-3, "bf16": 1e-2}[artifact["element"]]}
        row["right"] = row["error"] <= row["allowed"]
        part.say(**row)
        row["gpu_ms"], row["call_ms"] = timer.ours(prepared, clock)
        out = torch.empty(rows, size, device=where, dtype=dtype)
        row["torch_ms"] = timer.graph(lambda: torch.matmul(a, b, out=out))
        row["tflops"], row["torch_tflops"] = (2 * rows * size * size / row[key] * 1e-9 for key in ("gpu_ms", "torch_ms"))
        part.say(**row)


def attention(part, torch, artifact):
    import tfc

    on_gpu = not part.emulate
    where = "cuda" if on_gpu else "cpu"
    dtype = device.torch_type(torch, artifact["element"])
    batch, heads, seq, dim = (artifact[key] for key in ("batch", "heads", "seq", "dim"))
    clock = device.Clock()
    model = part.load(artifact)
    context = tfc.Context(model, device=part.device, recorder=clock)
    timer = device.Timer(torch, on_gpu)
    inputs = {name: torch.randn(batch, heads, seq, dim, device=where).to(dtype) for name in ("in0", "in1", "in2")}
    prepared = device.Prepared(context, inputs, device.empty_outputs(torch, context, inputs, on_gpu))
    prepared()
    found = device.as_tensors(torch, model.entries["attention"], prepared.results.arrays())["out0"][:1, :1]
    q, k, v = (tensor[:1, :1].float() for tensor in inputs.values())
    scores = q @ k.transpose(-1, -2) * dim ** -0.5
    if artifact["causal"]:
        scores = scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool, device=where).triu(1), -float("inf"))
    expected = (scores.softmax(-1) @ v).double().cpu()
    row = {"part": "attention", "name": artifact["name"], "shape": [batch, heads, seq, dim], "causal": artifact["causal"],
           "error": device.relative_error(torch, found, expected), "allowed": 2e-2}
    row["right"] = row["error"] <= row["allowed"]
    part.say(**row)
    del scores, expected
    row["gpu_ms"], row["call_ms"] = timer.ours(prepared, clock)
    sdpa = getattr(torch.nn.functional, "scaled_dot_product_attention", None)
    if sdpa and on_gpu:
        row["torch_ms"] = timer.graph(lambda: sdpa(*inputs.values(), is_causal=artifact["causal"]))
    flops = 4 * batch * heads * seq * seq * dim * (0.5 if artifact["causal"] else 1)
    row["tflops"] = flops / row["gpu_ms"] * 1e-9
    if "torch_ms" in row:
        row["torch_tflops"] = flops / row["torch_ms"] * 1e-9
    part.say(**row)
