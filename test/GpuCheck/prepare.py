"""What is compiled here, where the compiler is, and carried to the GPU."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import kernels
import packing

LIMIT = 64 << 20  # bytes of all that is carried
GROUP = 12        # kernel tests in one artifact

BERT = {"family": "bert", "vocab": 30522}
CONFIGS = {
    "bert-base": {**BERT, "hidden": 768, "layers": 12, "heads": 12},
    "bert-large": {**BERT, "hidden": 1024, "layers": 24, "heads": 16},
    "gpt2": {"family": "gpt2", "vocab": 50257, "hidden": 768, "layers": 12, "heads": 12},
}
TINY = {
    "bert-tiny": {"family": "bert", "vocab": 101, "hidden": 64, "layers": 1, "heads": 4, "positions": 64, "intermediate": 96},
    "gpt-tiny": {"family": "gpt2", "vocab": 101, "hidden": 64, "layers": 1, "heads": 4, "positions": 64},
}
# Sizes of the runs: for numbers alone, odd ones, and those that are timed too.
CHECKS = {"bert": [{"batch": 2, "seq": 77}], "gpt2": [{"batch": 2, "seq": 9, "past": 5}]}
RUNS = {
    "bert-base": [{"batch": 1, "seq": 128}, {"batch": 32, "seq": 512}, {"batch": 8, "seq": 128}],
    "bert-large": [{"batch": 1, "seq": 128}],
    "gpt2": [{"batch": 1, "seq": 1, "past": 1023}, {"batch": 1, "seq": 128, "past": 0}],
    "bert-tiny": [{"batch": 2, "seq": 7}],
    "gpt-tiny": [{"batch": 1, "seq": 3, "past": 5}],
}


def product(element):
    return (f'module {{\nfunc.func @main(%a: tensor<?x?x{element}, #tfc.dims<m, k>> {{tfc.name = "a"}}, %b: tensor<?x?x{element}, #tfc.dims<k, n>> {{tfc.name = "b"}})'
            f' -> (tensor<?x?x{element}, #tfc.dims<m, n>> {{tfc.name = "c"}}) attributes {{tfc.entry}} {{\n'
            f"%c = tfc.matmul %a, %b : tensor<?x?x{element}, #tfc.dims<m, k>>, tensor<?x?x{element}, #tfc.dims<k, n>>\n"
            f"return %c : tensor<?x?x{element}, #tfc.dims<m, n>>\n}}\n}}\n")


def square(element, size):
    """With sizes that the compiler knows, as in a model."""
    tensor = f"tensor<{size}x{size}x{element}>"
    rows = f"tensor<?x{size}x{element}, #tfc.dims<m, {size}>>"
    return (f'module {{\nfunc.func @main(%a: {rows} {{tfc.name = "a"}}, %b: {tensor} {{tfc.name = "b"}}) -> ({rows} {{tfc.name = "c"}}) attributes {{tfc.entry}} {{\n'
            f"%c = tfc.matmul %a, %b : {rows}, {tensor}\nreturn %c : {rows}\n}}\n}}\n")


def attention(element, dim, causal):
    """As the kernel that the compiler makes of an attention in a model."""
    t = kernels.kernel_cases.dims(f"s0, s1, s2, {dim}", element)
    words = " {causal}" if causal else ""
    body = f"%o = tfc.attention %q, %k, %v{words} : ({t}, {t}, {t}) -> {t}\nreturn %o : {t}"
    return "module {\n" + kernels.entry(kernels.Bare("attention", (f"%q: {t}, %k: {t}, %v: {t}", t, body), [(1, 1, 1)])) + "\n}\n"


class Preparation:
    def __init__(self, folder, emulate, precision, compiler, only):
        self.folder, self.emulate, self.precision, self.compiler, self.only = folder, emulate, precision, compiler, only
        self.artifacts = []
        self.scratch = tempfile.TemporaryDirectory()

    def compile(self, described, *words):
        """One artifact; a failure is written down and is no reason to stop."""
        if self.only and not any(part in described["name"] for part in self.only):
            return False
        file = described["name"] + ".so"
        command = [self.compiler, *map(str, words), "--header=none", "-o", str(self.folder / file)]
        result = subprocess.run(command, capture_output=True, text=True)
        described["command"] = command[:-3]
        if result.returncode:
            described["error"] = result.stderr.strip()[-600:]
            print(f"{described['name']}: {described['error']}", flush=True)
        else:
            described["file"] = file
            print(f"{described['name']}: {packing.pack(self.folder / file) / 1e6:.1f} MB", flush=True)
        self.artifacts.append(described)
        return result.returncode == 0

    def source(self, name, text):
        path = pathlib.Path(self.scratch.name) / (name + ".mlir")
        path.write_text(text)
        return path

    def usable(self, name):
        """Whether a kernel test can be a graph of its own."""
        path = self.source("case." + name, kernels.module([name]))
        return subprocess.run([self.compiler, path, "--emit=plan", "-o", os.devnull], capture_output=True).returncode == 0

    def kernels(self):
        if self.emulate:
            names = ["gemm_bf16", "gemm_odd_f16", "flash_decode_f32", "norm_f32_33", "embedding", "turned_last_dim"]
            targets = ["cuda-emu:sm_80"]
        else:
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                flags = list(pool.map(self.usable, kernels.CASES))
            names = [name for name, flag in zip(kernels.CASES, flags) if flag]
            print("no graphs of their own:", *[name for name, flag in zip(kernels.CASES, flags) if not flag])
            targets = ["cuda:sm_90a", "cuda:sm_80"]
        for target in targets:
            for begin in range(0, len(names), GROUP):
                group = names[begin:begin + GROUP]
                stem = f"kernels.{target.split(':')[1]}.{begin // GROUP}"
                described = {"name": stem, "kind": "kernels", "target": target, "cases": group}
                if not self.compile(described, self.source(stem, kernels.module(group)), "--target", target) and "error" in described:
                    # One that cannot be compiled should not take the others along.
                    for name in group:
                        one = f"{stem}.{name}"
                        self.compile({"name": one, "kind": "kernels", "target": target, "cases": [name]}, self.source(one, kernels.module([name])), "--target", target)

    def models(self):
        for name, config in (TINY if self.emulate else CONFIGS).items():
            words = ["--builtin", name]
            if self.emulate:
                own = {key: value for key, value in config.items() if key != "family"}
                words = ["--builtin", config["family"], "--config", ",".join(f"{k}={v}" for k, v in own.items())]
            for precision in dict.fromkeys(["f32", self.precision]):
                # f32 for its numbers, 16 bits for its speed.
                target = "cuda-emu:sm_80" if self.emulate else "cuda:sm_90a"
                described = {"name": f"{name}.{precision}", "kind": "model", "model": name, "config": config, "precision": precision, "target": target,
                             "checks": [] if self.emulate else CHECKS[config["family"]], "runs": RUNS[name] if precision == self.precision else []}
                flags = [] if precision == "f32" else ["--precision", precision]
                self.compile(described, *words, *flags, "--weights=seed", "--target", target)

    def benches(self):
        target = "cuda-emu:sm_80" if self.emulate else "cuda:sm_90a"
        size, seq = (64, 40) if self.emulate else (8192, 4096)
        for element in ("bf16",) if self.emulate else ("bf16", "f16", "f32"):
            name = f"gemm.{element}"
            self.compile({"name": name, "kind": "gemm", "element": element, "size": size, "target": target, "rows": [8, size] if self.emulate else [1, 128, 4096, size]},
                         self.source(name, square(element, size)), "--target", target)
        for dim, causal in ((64, False),) if self.emulate else ((64, False), (64, True), (128, False), (128, True)):
            name = f"attention.{dim}" + (".causal" if causal else "")
            self.compile({"name": name, "kind": "attention", "dim": dim, "causal": causal, "element": "bf16", "target": target,
                          "batch": 1 if self.emulate else 4, "heads": 2 if self.emulate else 2048 // dim, "seq": seq},
                         self.source(name, attention("bf16", dim, causal)), "--target", target)

    def copy_runtime(self):
        """The runtime: plain C, so that any glibc that is not older will do."""
        build = pathlib.Path(shutil.which(self.compiler) or self.compiler).resolve().parents[1]
        for part in ("lib/libtfc-runtime.so", "bin/tfc-run"):
            (self.folder / part).parent.mkdir(exist_ok=True)
            shutil.copy2(build / part, self.folder / part)


def prepare(folder, emulate, precision, compiler, only):
    folder.mkdir(parents=True, exist_ok=True)
    work = Preparation(folder, emulate, precision, compiler, only)
    work.copy_runtime()
    for part in (work.benches, work.models, work.kernels):
        part()
    manifest = {"emulate": emulate, "precision": precision, "artifacts": work.artifacts}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    failed = [artifact["name"] for artifact in work.artifacts if "error" in artifact]
    print(f"{len(work.artifacts)} artifacts, {total / 1e6:.1f} MB in all; not compiled: {', '.join(failed) or 'none'}")
    if total > LIMIT:
        print(f"this is more than the {LIMIT >> 20} MiB that can be carried")
    return 1 if total > LIMIT or not work.artifacts else 0
