"""The parts of a check, each run in a process of its own: what fails on a GPU may take its process along.

A part writes its findings line by line, as JSON, so that what it found before it died is known.
"""

import functools
import json
import math
import platform
import subprocess
import time

import device


class Part:
    def __init__(self, folder, out, deadline, done):
        self.folder, self.deadline, self.done = folder, deadline, done
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.emulate = self.manifest["emulate"]
        self.file = open(out, "a", buffering=1)
        self.device = "cuda"

    def say(self, **found):
        print(json.dumps(found), file=self.file)

    def artifacts(self, kind):
        return [artifact for artifact in self.manifest["artifacts"] if artifact["kind"] == kind and "file" in artifact]

    def artifact(self, name):
        return next(artifact for artifact in self.manifest["artifacts"] if artifact["name"] == name)

    def load(self, artifact):
        import tfc

        return tfc.load(self.folder / artifact["file"])

    def is_late(self):
        return time.time() > self.deadline

    def each(self, items, limit, failed=lambda key, text: {"error": text}, numbers=True):
        """Items are (key, function). One that fails is reported, and the next one has its turn; one that takes longer than `limit` seconds is
        stopped from outside, with this process, as is one that has lost the device. What was begun before, in another process, is left out.
        numbers: whether tfc's numbers are wrong where one fails."""
        for key, work in items:
            if key in self.done:
                continue
            if self.is_late():
                self.say(key=key, skipped="no time was left")
                continue
            self.say(key=key, begins=True, limit=limit, numbers=numbers)
            try:
                work()
            except Exception as problem:  # noqa: BLE001
                text = f"{type(problem).__name__}: {problem}"
                self.say(key=key, numbers=numbers, **failed(key, text[:600]))
                if "on the GPU" in text or "CUDA error" in text:
                    self.say(key=key, ends=True)
                    raise SystemExit(3)  # the device's context is of no use any more
            self.say(key=key, ends=True)


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

    def product(name):
        dtype = device.torch_type(torch, name)
        a, b = (torch.randn(size, size, device=where).to(dtype) for _ in range(2))
        out = torch.empty(size, size, device=where, dtype=dtype)
        ms = timer.graph(lambda: torch.matmul(a, b, out=out))
        part.say(part="peaks", what=f"{name} product {size}^3 by PyTorch", ms=ms, tflops=2 * size ** 3 / ms * 1e-9)

    def copy():
        count = (1 << 30) if on_gpu else (1 << 20)
        x = torch.empty(count, dtype=torch.float32, device=where)
        y = torch.empty_like(x)
        ms = timer.events(lambda: y.copy_(x))
        part.say(part="peaks", what="copy, bytes read and written", ms=ms, tbytes=8 * count / ms * 1e-9)
        if on_gpu:
            part.say(part="peaks", what="clocks behind the products", **smi("clocks.sm", "clocks.mem", "temperature.gpu", "power.draw"))

    names = ("bf16", "f16", "f32") if on_gpu else ("f32",)
    part.each([(f"{name} product", functools.partial(product, name)) for name in names] + [("copy", copy)], 30, numbers=False)


def kernels(part, artifact):
    """All cases of one artifact."""
    import kernels as tests

    model = part.load(artifact)
    context = model.context(device=part.device)
    cases = {f"{artifact['name']} {name} {list(sizes)}": (name, sizes) for name in artifact["cases"] for sizes in tests.CASES[name].sizes}
    about = lambda key: {"case": cases[key][0], "target": artifact["target"], "sizes": list(cases[key][1])}

    def check(key):
        name, sizes = cases[key]
        problem, worst = tests.check(context, model.entries[name], name, sizes)
        part.say(key=key, **about(key), problem=problem, worst=worst if math.isfinite(worst) else 1e30)

    part.each([(key, functools.partial(check, key)) for key in cases], 60, lambda key, text: {**about(key), "problem": text})


class Loaded:
    """An artifact of one kernel, with the clock of its runs."""

    def __init__(self, part, torch, artifact):
        import tfc

        self.part, self.torch, self.artifact = part, torch, artifact
        self.on_gpu = not part.emulate
        self.where = "cuda" if self.on_gpu else "cpu"
        self.dtype = device.torch_type(torch, artifact["element"])
        self.clock, self.timer = device.Clock(), device.Timer(torch, self.on_gpu)
        self.model = part.load(artifact)
        self.context = tfc.Context(self.model, device=part.device, recorder=self.clock)

    def random(self, *dims):
        return self.torch.randn(*dims, device=self.where).to(self.dtype)

    def run(self, inputs):
        """What can be repeated, and what the first run made."""
        prepared = device.Prepared(self.context, inputs, device.empty_outputs(self.torch, self.context, inputs, self.on_gpu))
        prepared()
        (found,) = device.as_tensors(self.torch, next(iter(self.model.entries.values())), prepared.results.arrays()).values()
        return prepared, found

    def product(self, rows):
        torch, size, element = self.torch, self.artifact["size"], self.artifact["element"]
        a, b = self.random(rows, size), self.random(size, size)
        prepared, found = self.run({"a": a, "b": b})
        expected = ((a.double() @ b.double()) if element == "f32" else (a.float() @ b.float())).double().cpu()
        row = {"part": "gemm", "name": self.artifact["name"], "rows": rows, "size": size, "element": element,
               "error": device.relative_error(torch, found, expected), "allowed": {"f32": 1e-5, "f16": 3e-3, "bf16": 1e-2}[element]}
        row["right"] = row["error"] <= row["allowed"]
        self.part.say(**row)
        row["gpu_ms"], row["call_ms"] = self.timer.ours(prepared, self.clock)
        flops = 2 * rows * size * size
        row["tflops"] = flops / row["gpu_ms"] * 1e-9
        self.part.say(**row)
        out = torch.empty(rows, size, device=self.where, dtype=self.dtype)
        row["torch_ms"] = self.timer.graph(lambda: torch.matmul(a, b, out=out))
        self.part.say(**row, torch_tflops=flops / row["torch_ms"] * 1e-9)

    def attention(self):
        torch, artifact = self.torch, self.artifact
        batch, heads, seq, dim = (artifact[key] for key in ("batch", "heads", "seq", "dim"))
        inputs = {name: self.random(batch, heads, seq, dim) for name in ("in0", "in1", "in2")}
        prepared, found = self.run(inputs)
        q, k, v = (tensor[:1, :1].float() for tensor in inputs.values())
        scores = q @ k.transpose(-1, -2) * dim ** -0.5
        if artifact["causal"]:
            scores = scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool, device=self.where).triu(1), -float("inf"))
        expected = (scores.softmax(-1) @ v).double().cpu()
        row = {"part": "attention", "name": artifact["name"], "shape": [batch, heads, seq, dim], "causal": artifact["causal"],
               "error": device.relative_error(torch, found[:1, :1], expected), "allowed": 2e-2}
        row["right"] = row["error"] <= row["allowed"]
        self.part.say(**row)
        del scores, expected
        row["gpu_ms"], row["call_ms"] = self.timer.ours(prepared, self.clock)
        flops = 4 * batch * heads * seq * seq * dim * (0.5 if artifact["causal"] else 1)
        row["tflops"] = flops / row["gpu_ms"] * 1e-9
        self.part.say(**row)
        sdpa = getattr(torch.nn.functional, "scaled_dot_product_attention", None)
        if sdpa and self.on_gpu:
            row["torch_ms"] = self.timer.graph(lambda: sdpa(*inputs.values(), is_causal=artifact["causal"]))
            self.part.say(**row, torch_tflops=flops / row["torch_ms"] * 1e-9)


def gemm(part, torch):
    loaded = functools.lru_cache(1)(lambda name: Loaded(part, torch, part.artifact(name)))
    part.each([(f"{artifact['name']} {rows}", functools.partial(lambda name, rows: loaded(name).product(rows), artifact["name"], rows))
               for artifact in part.artifacts("gemm") for rows in artifact["rows"]], 60)


def attention(part, torch):
    part.each([(artifact["name"], functools.partial(lambda artifact: Loaded(part, torch, artifact).attention(), artifact)) for artifact in part.artifacts("attention")], 60)
