#!/usr/bin/env python3
"""config.py FOLDER: a config.json in the Hugging Face form is the same as key=value pairs, and a seed changes the outputs."""

import json
import os
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from checks import Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
configs = {
    "bert": ("hidden=32,layers=1,heads=2,intermediate=48,vocab=50,positions=8",
             {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 48, "vocab_size": 50,
              "max_position_embeddings": 8, "type_vocab_size": 2, "hidden_act": "gelu", "torch_dtype": "float32", "transformers_version": "4.40.0"}),
    "gpt": ("n_embd=32,n_layer=1,n_head=2,vocab_size=50,n_positions=8",
            {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2, "vocab_size": 50, "n_positions": 8, "n_ctx": 8, "activation_function": "gelu_new"}),
}
for family, (pairs, file) in configs.items():
    pathlib.Path("config.json").write_text(json.dumps(file))
    for name, config in (("pairs", pairs), ("file", "config.json")):
        checks.run("tfc-compile", "--builtin", family, "--config", config, "--emit=import", "-o", f"{name}.mlir", "--seed=3")
    checks.check(f"{family}: pairs and file are the same graph", pathlib.Path("pairs.mlir").read_bytes() == pathlib.Path("file.mlir").read_bytes())

for name, contents, says in (("text", "{", "text.json"), ("zero", json.dumps({**configs["bert"][1], "num_attention_heads": 0}), "heads"),
                             ("many", json.dumps({**configs["bert"][1], "num_hidden_layers": 10**9}), "layers"),
                             ("string", json.dumps({**configs["bert"][1], "hidden_size": "32"}), "hidden_size"), ("deep", "[" * 100000, "deep.json")):
    pathlib.Path(f"{name}.json").write_text(contents)
    checks.refuses("tfc-compile", "--builtin", "bert", "--config", f"{name}.json", "-o", "x.so", says=says)

outputs = {}
for name, seed in (("first", 1), ("again", 1), ("other", 2)):
    checks.run("tfc-compile", "--builtin", "bert", "--config", configs["bert"][0], f"--seed={seed}", "-o", f"{name}.so")
    outputs[name] = checks.run("tfc-run", f"./{name}.so", "--random", "--dim=batch=2,seq=5").stdout.split("time")[0]
checks.check("the same seed gives the same library", pathlib.Path("first.so").stat().st_size == pathlib.Path("again.so").stat().st_size and outputs["first"] == outputs["again"])
checks.check("another seed, other outputs", outputs["first"] != outputs["other"])
sys.exit(checks.finish())
