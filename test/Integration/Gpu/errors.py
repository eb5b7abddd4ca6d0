#!/usr/bin/env python3
"""What can go wrong on the way to a GPU ends in a code with a sentence.

    errors.py MODEL.onnx STUB INPUTS.npz EXPECTED.npz
"""

import os
import pathlib
import subprocess
import sys
import tempfile

model, stub, inputs, expected = sys.argv[1:]
failures = 0


def call(*command, driver=stub, **settings):
    environment = {**os.environ, "TFC_CUDA_DRIVER": str(driver), "TFC_STUB_CUDA": ",".join(f"{k}={v}" for k, v in settings.items())}
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment)


def check(name, result, code, says):
    global failures
    lines = [line for line in result.stderr.splitlines() if not line.startswith("emulated GPU:")]
    if result.returncode == code and says in result.stderr and (code == 0 or len(lines) == 1):
        return
    failures += 1
    print(f"{name}: exit code {result.returncode}, not {code}, or not one line with '{says}':\n{result.stdout}{result.stderr}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        device, both, cpu = folder / "device.so", folder / "both.so", folder / "cpu.so"
        for artifact, target in ((device, "cuda-emu:sm_80"), (both, "cpu,cuda-emu:sm_90,cuda-emu:sm_80"), (cpu, "cpu")):
            result = subprocess.run(["tfc-compile", model, "--target", target, "-o", artifact], capture_output=True, text=True)
            check(f"compile for {target}", result, 0, "")
        run = ("--inputs", inputs, "--expect", expected)

        def fails(case, code, says, artifact=device, device="cuda", driver=stub, **settings):
            check(case, call("tfc-run", artifact, "--device", device, *run, driver=driver, **settings), code, says)

        # Nothing to run on.
        fails("no driver", 3, "there is no NVIDIA driver on this machine", driver="/nonexistent/libcuda.so.1")
        fails("not a driver", 3, "has no cuDriverGetVersion", driver="libm.so.6")
        fails("an old driver", 3, "it knows CUDA 11.4, and 12.0 is the least", version=11040)
        fails("no GPU", 3, "finds no GPU", devices=0)
        fails("a driver without tensor maps", 3, "has no cuTensorMapEncodeTiled of CUDA 12.0", missing="cuTensorMapEncodeTiled")
        fails("a GPU that does not exist", 3, "there is no GPU 7; the driver has 1", device="cuda:7")
        fails("an old GPU", 3, "the model is compiled for cuda-emu:sm_80; GPU 0 (emulated) has compute capability 7.5", capability=75)
        fails("no code for GPUs", 3, "has no code for GPUs", artifact=cpu)
        fails("no code for CPUs", 2, "has no code for CPUs", device="cpu")

        # Without --device: the CPU where there is code for it, else the GPU.
        check("the default of an artifact with both", call("tfc-run", both, *run, driver="/nonexistent"), 0, "")
        check("the default of one without a CPU part", call("tfc-run", device, *run), 0, "")
        check("the default without a GPU", call("tfc-run", device, *run, driver="/nonexistent"), 3, "there is no NVIDIA driver")
        fails("the second program", 0, "", artifact=both, capability=80)
        fails("the first program", 0, "", artifact=both, capability=90)

        # A CPU that is too old for the kernels: the model loads for the GPU, and only the CPU is refused.
        new = folder / "new.so"
        check("compile for a new CPU", subprocess.run(["tfc-compile", model, "--target", "cpu:x86-64-v3,cuda-emu:sm_80", "-o", new], capture_output=True, text=True), 0, "")
        old = ("--isa", "x86-64-v2", *run)
        check("an old CPU with a GPU", call("tfc-run", new, *old), 0, "")
        check("an old CPU with a GPU that is asked for", call("tfc-run", new, "--device", "cuda", *old), 0, "")
        check("an old CPU that is asked for", call("tfc-run", new, "--device", "cpu", *old), 2, "the model is compiled for x86-64-v3; this CPU has x86-64-v2")
        check("an old CPU without a GPU", call("tfc-run", new, *old, driver="/nonexistent"), 3, "there is no NVIDIA driver")

        # It was there, and then it fails.
        fails("no memory for weights", 3, "has no memory for", memory=10000)
        fails("no memory for a run", 3, "has no memory for", memory=300000)
        for function, says in (("cuModuleLoadDataEx", "loading the model's code failed"), ("cuModuleGetFunction", "failed on the GPU"),
                               ("cuStreamCreate", "making a stream failed"), ("cuMemcpyHtoDAsync", "copying weights failed"),
                               ("cuLaunchKernelEx", "failed on the GPU"), ("cuMemcpyDtoHAsync", "running the model failed"),
                               ("cuDevicePrimaryCtxRetain", "opening the device failed"), ("cuInit", "starting the driver failed"),
                               ("cuCtxPushCurrent", "entering the device's context failed")):
            fails(f"{function} fails", 3, says, fail=f"{function}:1")
        for function, says in (("cuStreamBeginCapture", "capturing a graph failed"), ("cuStreamEndCapture", "capturing a graph failed"),
                               ("cuGraphInstantiateWithFlags", "making a graph failed"), ("cuGraphLaunch", "running a graph failed")):
            check(f"{function} fails", call("tfc-run", device, *run, "--repeat=2", fail=f"{function}:1"), 3, says)
        for function, says in (("cuEventCreate", "making an event failed"), ("cuEventRecordWithFlags", "recording an event failed"),
                               ("cuEventElapsedTime", "reading an event failed")):
            check(f"{function} fails", call("tfc-run", device, *run, "--profile", fail=f"{function}:1"), 3, says)
        for function in ("cuMemAlloc", "cuMemcpyDtoDAsync", "cuEventElapsedTime"):
            check(f"measuring without {function}", call("tfc-run", "--measure-machine", "--device=cuda", fail=f"{function}:1"), 3, "measuring copies failed")
        check("measuring without a driver", call("tfc-run", "--measure-machine", "--device=cuda", driver="/nonexistent"), 3, "there is no NVIDIA driver")
        check("measuring a GPU that does not exist", call("tfc-run", "--measure-machine", "--device=cuda:2"), 3, "there is no GPU 2")
    return 1 if failures else 0


sys.exit(main())
