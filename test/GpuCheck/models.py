"""Whole models beside PyTorch: numbers, then times."""

import functools
import time

import device
import networks

TOLERANCE = {"f32": 1e-4, "f16": 1e-2, "bf16": 3e-2}


class Bench:
    """A model in tfc and in PyTorch, on the same weights."""

    def __init__(self, part, torch, artifact):
        self.part, self.torch, self.artifact = part, torch, artifact
        self.on_gpu = not part.emulate
        self.where = "cuda" if self.on_gpu else "cpu"
        self.config, self.family = artifact["config"], artifact["config"]["family"]
        self.dtype = device.torch_type(torch, artifact["precision"])
        self.timer = device.Timer(torch, self.on_gpu)
        self.model = part.load(artifact)
        self.weights = self.model.weights()
        self.clock, self.networks = device.Clock(), {}
        self.context = None  # made for the first run: torch.compile alone needs none

    def network(self, dtype):
        if dtype not in self.networks:
            self.networks[dtype] = networks.make(self.family, self.weights, self.config["layers"], self.config["heads"], dtype, self.where)
        return self.networks[dtype]

    def inputs(self, sizes):
        return networks.make_inputs(self.family, self.config, sizes, self.torch.float32, self.where)

    def row(self, sizes, **found):
        self.part.say(part="models", name=self.artifact["name"], model=self.artifact["model"], precision=self.artifact["precision"], sizes=sizes, **found)

    def ours(self, sizes, is_timed):
        """Against PyTorch in float64, then the time."""
        import tfc

        torch, inputs = self.torch, self.inputs(sizes)
        if not self.context:
            stream = torch.cuda.current_stream().cuda_stream or None if self.on_gpu else None
            self.context = tfc.Context(self.model, device=self.part.device, recorder=self.clock, stream=stream)
        types = {port.name: device.torch_type(torch, port.dtype) for port in self.model.inputs}
        given = {name: tensor.to(types[name]) for name, tensor in inputs.items()}
        with torch.no_grad():
            expected = self.network(torch.float64)(*(tensor.double() if tensor.is_floating_point() else tensor for tensor in given.values()))
        prepared = device.Prepared(self.context, given, device.empty_outputs(torch, self.context, given, self.on_gpu))
        prepared()
        found = device.as_tensors(torch, self.model.entries["main"], prepared.results.arrays())
        names = list(found)[: 2 if self.family == "bert" else 1]
        error = max(device.relative_error(torch, found[name], reference.detach().to("cpu").double()) for name, reference in zip(names, expected))
        allowed = TOLERANCE[self.artifact["precision"]]
        self.row(sizes, error=error, allowed=allowed, right=error <= allowed)
        del expected
        if is_timed:
            gpu, call = self.timer.ours(prepared, self.clock)
            self.row(sizes, gpu_ms=gpu, call_ms=call)

    def same_inputs(self, sizes):
        return tuple(tensor.to(self.dtype) if tensor.is_floating_point() else tensor for tensor in self.inputs(sizes).values())

    def eager(self, sizes):
        """PyTorch with SDPA, and as a CUDA graph."""
        network, inputs = self.network(self.dtype), self.same_inputs(sizes)
        with self.torch.no_grad():
            self.row(sizes, torch_eager_ms=self.timer.events(lambda: network(*inputs)))
            self.row(sizes, torch_graph_ms=self.timer.graph(lambda: network(*inputs)))

    def compiled(self, sizes):
        """Compiled by PyTorch, as a CUDA graph."""
        network, inputs = self.torch.compile(self.network(self.dtype), dynamic=False), self.same_inputs(sizes)
        with self.torch.no_grad():
            self.row(sizes, torch_compile_ms=self.timer.graph(lambda: network(*inputs)))


def models(part, torch, compiles):
    """What takes longest, and what tfc has no part in, comes last: PyTorch's times of all models, then those of torch.compile."""
    artifacts = sorted(part.artifacts("model"), key=lambda artifact: not artifact["runs"])
    bench = functools.lru_cache(None)(lambda name: Bench(part, torch, part.artifact(name)))

    def items(what, work, *kinds):
        return [(f"{what} {artifact['name']} {sizes}", functools.partial(lambda name, sizes, kind: work(bench(name), sizes, kind), artifact["name"], sizes, kind))
                for artifact in artifacts for kind in kinds for sizes in artifact[kind]]

    part.each(items("tfc's", lambda one, sizes, kind: one.ours(sizes, kind == "runs"), "checks", "runs"), 60)
    part.each(items("PyTorch's", lambda one, sizes, kind: one.eager(sizes), "runs"), 60, numbers=False)
    if compiles and not part.emulate:
        part.each(items("torch.compile's", lambda one, sizes, kind: one.compiled(sizes), "runs"), 120, numbers=False)


def warm(part, torch, artifact):
    """Compiles what `models` will want, so that it comes out of PyTorch's cache there."""
    bench = Bench(part, torch, artifact)
    network = torch.compile(bench.network(bench.dtype), dynamic=False)
    for sizes in artifact["runs"]:
        with torch.no_grad():
            network(*bench.same_inputs(sizes))
    part.say(part="warm", name=artifact["name"])


def growing(part, torch):
    """Tokens a second when the past grows, so that each step is another shape."""
    found = [artifact for artifact in part.artifacts("model") if artifact["config"]["family"] == "gpt2" and artifact["runs"]]
    part.each([(f"growing {artifact['name']}", functools.partial(grow, part, torch, artifact)) for artifact in found], 60)


def grow(part, torch, artifact, steps=64):
    model = part.load(artifact)
    config, types = artifact["config"], {port.name: device.torch_type(torch, port.dtype) for port in model.inputs}
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
