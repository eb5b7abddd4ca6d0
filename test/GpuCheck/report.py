"""The findings as a table, and how they compare with what is wanted of an H200."""

import json


def cell(row, key, form="{:.4f}"):
    if key in row:
        return form.format(row[key])
    problem = row.get(key.replace("_ms", "_error"))
    return "failed" if problem else "-"


def table(head, rows):
    if not rows:
        return "nothing was found\n"
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def sizes_text(sizes):
    return " ".join(f"{name[0]}{value}" for name, value in sizes.items())


def merged(rows, *keys):
    """What rows with the same keys say together; a later one knows better."""
    result = {}
    for row in rows:
        result.setdefault(json.dumps([row.get(key) for key in keys]), {}).update(row)
    return list(result.values())


def targets(findings):
    """What is wanted, what was found, and PyTorch's figure beside it."""
    of = lambda part: [row for row in findings if row.get("part") == part]
    rows = []

    def model(name, sizes):
        found = [row for row in merged(of("models"), "name", "sizes") if row.get("model") == name and row.get("sizes") == sizes and "gpu_ms" in row]
        return found[-1] if found else None

    def add(what, wanted, found, met, other):
        rows.append({"what": what, "wanted": wanted, "found": found, "met": met, "torch": other})

    peak = next((row["tflops"] for row in of("peaks") if row.get("what", "").startswith("bf16 product")), None)
    for name, sizes, most in (("bert-base", {"batch": 1, "seq": 128}, 0.35), ("bert-large", {"batch": 1, "seq": 128}, 0.8)):
        row = model(name, sizes)
        add(f"{name} {row['precision'] if row else '16 bits'} {sizes_text(sizes)}", f"<= {most} ms", row and f"{row['gpu_ms']:.3f} ms ({row['call_ms']:.3f} a call)", row and row["gpu_ms"] <= most,
            row and f"compile {cell(row, 'torch_compile_ms')}, graph {cell(row, 'torch_graph_ms')} ms")
    row = model("bert-base", {"batch": 32, "seq": 512})
    if row and peak:
        # Products and attention of BERT-base: 12 layers, hidden 768.
        tokens, hidden, layers = 32 * 512, 768, 12
        flops = layers * (24 * tokens * hidden ** 2 + 4 * tokens * 512 * hidden)
        share = flops / row["gpu_ms"] * 1e-9 / peak
        add("bert-base b32 s512", ">= 55 % of the product's peak", f"{100 * share:.1f} % ({row['gpu_ms']:.3f} ms)", share >= 0.55,
            f"compile {cell(row, 'torch_compile_ms')}, graph {cell(row, 'torch_graph_ms')} ms")
    else:
        add("bert-base b32 s512", ">= 55 % of the product's peak", None, None, None)
    row = model("gpt2", {"batch": 1, "seq": 1, "past": 1023})
    add("gpt2 decode, batch 1, past 1023", ">= 4000 tokens/s", row and f"{1e3 / row['call_ms']:.0f} tokens/s ({1e3 / row['gpu_ms']:.0f} by the GPU)", row and 1e3 / row["call_ms"] >= 4000,
        row and f"compile {1e3 / row['torch_compile_ms']:.0f} tokens/s" if row and "torch_compile_ms" in row else None)
    found = [row for row in merged(of("gemm"), "name", "rows") if row.get("element") == "bf16" and row.get("rows") == 8192 and "torch_tflops" in row]
    row = found[-1] if found else None
    add("bf16 product 8192^3", ">= 85 % of cuBLAS", row and f"{100 * row['tflops'] / row['torch_tflops']:.1f} % ({row['tflops']:.0f} TFLOP/s)",
        row and row["tflops"] >= 0.85 * row["torch_tflops"], row and f"{row['torch_tflops']:.0f} TFLOP/s")
    found = [row for row in merged(of("attention"), "name") if row["shape"][2:] == [4096, 64] and not row["causal"] and "tflops" in row]
    row = found[-1] if found else None
    add("attention D = 64, S = 4096", ">= 350 TFLOP/s", row and f"{row['tflops']:.0f} TFLOP/s", row and row["tflops"] >= 350,
        row and "torch_tflops" in row and f"SDPA {row['torch_tflops']:.0f} TFLOP/s")
    return rows


def markdown(findings, problems):
    of = lambda part: [row for row in findings if row.get("part") == part]
    text = "# GPU check\n\n"
    for row in of("environment"):
        text += ", ".join(f"{key} {value}" for key, value in row.items() if key != "part") + "\n\n"
    cases = [row for row in findings if "case" in row]
    wrong = [row for row in cases if row["problem"]]
    text += f"## Numbers\n\n{len(cases) - len(wrong)} of {len(cases)} kernel runs are right"
    text += "; the greatest error is %.2f of the one allowed.\n" % max([row["worst"] for row in cases if not row["problem"]], default=0)
    text += "".join(f"- {row['case']} {row['sizes']} on {row['target']}: {row['problem']}\n" for row in wrong[:40])
    text += "\n" + table(["what", "sizes", "error", "allowed", ""], [
        (row["name"], sizes_text(row["sizes"]) if "sizes" in row else row.get("rows", row.get("shape")), f"{row['error']:.1e}", f"{row['allowed']:.0e}", "right" if row["right"] else "WRONG")
        for row in merged([row for row in findings if "right" in row], "name", "sizes", "rows")])
    text += "\n## Wanted\n\n" + table(["what", "wanted", "found", "met", "PyTorch in the same run"], [
        (row["what"], row["wanted"], row["found"] or "not measured", {True: "yes", False: "no"}.get(row["met"], "-"), row["torch"] or "-") for row in targets(findings)])
    text += "\n## Ceilings\n\n" + table(["what", ""], [(row["what"], f"{row['tflops']:.1f} TFLOP/s" if "tflops" in row else f"{row['tbytes']:.3f} TB/s" if "tbytes" in row else
                                                   ", ".join(f"{k} {v}" for k, v in row.items() if k not in ("part", "what"))) for row in of("peaks")])
    text += "\n## Models\n\nMedians in ms. GPU: of the run's graph, by events; call: from the call to the results. PyTorch uses SDPA.\n\n" + table(
        ["model", "sizes", "GPU", "call", "eager", "CUDA graph", "torch.compile + graph"],
        [(row["name"], sizes_text(row["sizes"]), cell(row, "gpu_ms"), cell(row, "call_ms"), cell(row, "torch_eager_ms"), cell(row, "torch_graph_ms"), cell(row, "torch_compile_ms"))
         for row in merged(of("models"), "name", "sizes") if row.keys() & {"gpu_ms", "torch_eager_ms"}])
    text += "".join(f"\n{row['name']}: {row['tokens_per_s']:.0f} tokens/s over {row['steps']} steps from a past of {row['past']}, each step another shape.\n" for row in of("growing"))
    text += "\n## Products and attention\n\n" + table(["what", "shape", "GPU ms", "TFLOP/s", "PyTorch ms", "PyTorch TFLOP/s"], [
        (row["name"], row.get("shape") or [row["rows"], row["size"], row["size"]], cell(row, "gpu_ms"), cell(row, "tflops", "{:.1f}"), cell(row, "torch_ms"), cell(row, "torch_tflops", "{:.1f}"))
        for row in merged(of("gemm") + of("attention"), "name", "rows") if "gpu_ms" in row])
    if problems:
        text += "\n## Problems\n\n" + "".join(f"- {problem}\n" for problem in problems)
    return text
