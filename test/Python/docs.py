"""The examples of docs/Python.md work as they stand there: docs.py FOLDER."""

import os
import pathlib
import re
import shutil
import sys

from harness import MODELS, SOURCE

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
shutil.copy(MODELS / "bert_tiny" / "model.op17.onnx", folder / "model.onnx")
os.chdir(folder)
page = (SOURCE / "docs" / "Python.md").read_text()
examples = re.findall(r"^```python\n(.*?)^```", page, re.S | re.M)
assert examples
names = {}
for example in examples:
    exec(example, names)
