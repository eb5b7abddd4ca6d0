# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the time of a model goes."""

from __future__ import annotations

import dataclasses
import time

from . import _abi


@dataclasses.dataclass(frozen=True)
class KernelTime:
    """All launches of one kernel in a run, on average over the measured runs.

    nodes: the graph's nodes it does, launch by launch. calls: launches per run. ms: milliseconds per run. flops, bytes:
    floating point operations, and bytes read and written at least, per run.
    """

    name: str
    nodes: tuple[str, ...]
    calls: float
    ms: float
    flops: float
    bytes: float

    @property
    def gflops(self) -> float:
        """10^9 floating point operations per second."""
        return self.flops / self.ms / 1e6 if self.ms else 0.0


@dataclasses.dataclass(frozen=True)
class Profile:
    """kernels: the dearest first. run_ms: milliseconds of each measured run, as the runtime saw it, without what this profiler took.

    profiler_ms: what that was, per run. Python is told of every launch, which takes it about a microsecond: of runs below a
    millisecond `tfc-run --profile` shows more.
    """

    kernels: tuple[KernelTime, ...]
    run_ms: tuple[float, ...]
    profiler_ms: float = 0.0

    def __str__(self) -> str:
        """A table for people."""
        whole = sum(self.run_ms) / max(1, len(self.run_ms))
        width = max([15, *(len(kernel.name) for kernel in self.kernels)])
        lines = [f"{'kernel':<{width}} {'calls':>6} {'ms':>10} {'share':>6} {'GFLOP/s':>8}  nodes"]
        for kernel in self.kernels:
            more = f" +{len(kernel.nodes) - 1}" if len(kernel.nodes) > 1 else ""
            share = 100 * kernel.ms / whole if whole else 0.0
            lines.append(
                f"{kernel.name:<{width}} {kernel.calls:>6.0f} {kernel.ms:>10.4f} {share:>5.1f}% {kernel.gflops:>8.1f}  "
                f"{(kernel.nodes or ('-',))[0]}{more}"
            )
        outside = whole - sum(kernel.ms for kernel in self.kernels)
        lines.append(f"{'outside kernels':<{width}} {'':>6} {outside:>10.4f} {100 * outside / whole if whole else 0.0:>5.1f}%")
        lines.append(f"{'whole run':<{width}} {'':>6} {whole:>10.4f} {'100%':>6}")
        lines.append(f"not counted: {self.profiler_ms:.4f} ms a run, which this profiler took")
        return "\n".join(lines)


class Recorder:
    """Sums what the runtime tells of the launches of one context's runs. Runs on the thread that runs the model."""

    events = 0  # a mask for TfcContextOptions.profiler_events; 0: runs and launches

    def __init__(self) -> None:
        self.callback = _abi.Profiler(self._event)
        self.measuring = False
        self.interrupt: BaseException | None = None
        self.runs: list[float] = []
        self._own: list[float] = []  # per run: what the recorder took, in milliseconds
        self._spent = 0  # in the run in progress, nanoseconds
        self._began = [0, 0]  # of the run, of the launch; nanoseconds
        self._sums: dict[int, list[float]] = {}

    def _event(self, _data: int | None, pointer: object) -> None:
        try:
            self._note(pointer)
        except BaseException as interrupt:  # see Context._locked_run
            self.interrupt = interrupt

    def _note(self, pointer: object) -> None:
        now = time.perf_counter_ns()
        event = pointer.contents  # type: ignore[attr-defined]
        if not self.measuring:
            return
        if event.kind == _abi.EVENT_DEVICE:  # By the device's clock, told after the run.
            self._add(event, (event.end - event.begin) / 1e6)
        elif event.kind == _abi.EVENT_DEVICE_RUN:
            self.runs.append((event.end - event.begin) / 1e6)
        elif event.kind == _abi.EVENT_RUN:
            if event.after:
                self.runs.append((now - self._began[0] - self._spent) / 1e6)
                self._own.append(self._spent / 1e6)
            self._spent = 0
            self._began[0] = time.perf_counter_ns()
        elif event.kind == _abi.EVENT_LAUNCH and not event.after:
            self._spent += time.perf_counter_ns() - now
            self._began[1] = time.perf_counter_ns()
        elif event.kind == _abi.EVENT_LAUNCH:
            self._add(event, (now - self._began[1]) / 1e6)
            self._spent += time.perf_counter_ns() - now

    def _add(self, event: _abi.TfcEvent, ms: float) -> None:
        launch = event.entry.contents.launches[event.launch]
        sums = self._sums.setdefault(event.launch, [0.0, 0.0, 0.0, 0.0])
        for place, amount in enumerate((1, ms, event.values[launch.flops], event.values[launch.bytes])):
            sums[place] += amount

    def profile(self, described: _abi.TfcModel | _abi.TfcProgram, entry: _abi.TfcEntry) -> Profile:
        count = max(1, len(self.runs))
        kernels: dict[int, tuple[list[str], list[float]]] = {}
        for number, sums in sorted(self._sums.items()):
            launch = entry.launches[number]
            nodes, totals = kernels.setdefault(launch.kernel, ([], [0.0] * 4))
            nodes += [_abi.text(launch.nodes[i]) for i in range(launch.node_count)]
            totals[:] = [total + amount / count for total, amount in zip(totals, sums)]
        rows = [KernelTime(_abi.text(described.kernels[number].name), tuple(nodes), *totals) for number, (nodes, totals) in kernels.items()]
        return Profile(tuple(sorted(rows, key=lambda row: -row.ms)), tuple(self.runs), sum(self._own) / count)
