#!/usr/bin/env python3
"""executed.py SOURCE TOOLS: no command stands on a page without a test that runs it, and no flag that its tool does not have.

Blocks of commands are marked `sh`; snippets.py has those of C, CMake and IR. Those of a page that commands.test runs are run as they stand; those of README.md by walk.test. For the others each
line has a place in ELSEWHERE: the test that does the same, or why none can.
"""

import pathlib
import re
import subprocess
import sys

source, tools = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
LANGUAGES = {"", "sh", "python", "c", "cmake", "mlir"}  # of blocks; one without a language shows what a tool writes, or IR
GENERATED = {"docs/Dialect.md", "docs/Passes.md"}
BY_HAND = "by hand: "
# What the line begins with -> the test, or the reason why there is none.
ELSEWHERE = {
    "docs/Development.md": {
        "cmake --preset default && cmake --build": "test/Docs/walk.test",
        "cmake --build build --target check-tfc": BY_HAND + "these run the tests",
        "ctest --test-dir": BY_HAND + "these run the tests",
        "/usr/lib/llvm-22/bin/lit -v build/test/Dialect": BY_HAND + "these run the tests",
        "export ASAN_OPTIONS": BY_HAND + "a build of an hour",
        "cmake --preset sanitize": BY_HAND + "a build of an hour",
        "ninja -C build-sanitize": BY_HAND + "a build of an hour",
        "PATH=$PWD/build/bin:$PATH /usr/lib/llvm-22/bin/lit -v build-sanitize": BY_HAND + "needs that build",
        "B=build-sanitize/bin": BY_HAND + "needs that build",
        "test/Fuzz/mutate.py": BY_HAND + "needs that build",
        "build/bin/tfc-compile $M/bert_tiny/model.op17.onnx -o bert.so": "test/Docs/commands.test",
        "cmake --preset fuzz": BY_HAND + "a build of an hour; test/Frontend/ONNX/fuzz.test runs what it makes",
        "test/Frontend/ONNX/fuzz_corpus.py": "test/Frontend/ONNX/fuzz.test",
        "build-sanitize-threads/bin/tfc-run": BY_HAND + "needs that build",
        "test/gpu-check prepare": "test/Integration/Gpu/gpu_check.test",
        "test/gpu-check run": BY_HAND + "needs a GPU",
    },
    "docs/Numerics.md": {"python3 test/Codegen/CPU/measure_math.py": "test/Codegen/CPU/measure-math.test"},
    "docs/Performance.md": {
        "tfc-compile bert_base.onnx": BY_HAND + "needs a file of 440 MB; test/Docs/commands.test does the same with a small one",
        "tfc-run ./bert_base.so": BY_HAND + "needs that file",
        "npm install": BY_HAND + "needs a network",
        "NODE_PATH=$PWD/node_modules python3 tools/bench/compare.py": BY_HAND + "needs that file and an idle machine",
    },
}
failures = []


def blocks(text):
    return re.findall(r"^ *```(\S*)[^\n]*\n(.*?)^ *```$", text, re.S | re.M)


def lines_of(block):
    """Commands, those continued on the next line as one."""
    joined = re.sub(r"\\\n\s*", " ", block)
    return [line.split("  #")[0].strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def run_pages():
    """The pages whose blocks tests run as they stand."""
    text = (source / "test/Docs/commands.test").read_text()
    pages = {f"docs/{page}" for page in re.findall(r"\b(\w+\.md)\b", text.partition("RUN:")[2])}
    walk = (source / "test/Docs/walk.py").read_text()
    walked = {f"docs/{page}" for page in re.search(r'^pages = "(.*)"$', walk, re.M).group(1).split()}
    if pages != walked:
        failures.append(f"commands.test runs {sorted(pages)}, walk.py {sorted(walked)}")
    return pages | {"README.md"}


def check_blocks(page, text, run):
    for language, block in blocks(text):
        if language not in LANGUAGES:
            failures.append(f"{page}: a block is marked '{language}'; commands are marked sh")
        if language == "" and re.search(r"^ *(\$ |tfc-\w+ |cmake |python3? |pip |apt |sudo )", block, re.M):
            failures.append(f"{page}: a block with commands is not marked sh:\n{block}")
        if language == "python" and page != "docs/Python.md":
            failures.append(f"{page}: test/Python/docs.py does not run this page's examples")
        if language == "sh" and page not in run:
            for line in lines_of(block):
                found = [place for start, place in ELSEWHERE.get(page, {}).items() if line.startswith(start)]
                if not found:
                    failures.append(f"{page}: no test runs '{line}', or says why it cannot")
                elif not found[0].startswith(BY_HAND) and not (source / found[0]).exists():
                    failures.append(f"{page}: there is no {found[0]}")


def check_flags(page, text, known):
    """Flags that the text gives to a tool, in blocks and in passing."""
    spans = [line for language, block in blocks(text) if language == "sh" for line in lines_of(block)]
    spans += re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.S | re.M))
    for span in spans:
        for command in re.split(r"&&|\|\||;|\|", span):
            words = command.split()
            # Behind another program its name is that program's affair.
            at = 0 if words and pathlib.Path(words[0]).name in known else None
            for word in words[at + 1 :] if at is not None else []:
                flag = re.match(r"--[a-z][a-z-]*", word)
                if flag and not flag.group(0).startswith("--mlir-") and word != "--" and flag.group(0).rstrip("-") not in known[pathlib.Path(words[at]).name]:
                    failures.append(f"{page}: '{span}': {words[at]} has no {flag.group(0)}")
                if word == "--":
                    break


def flags_of(tool):
    words = ["--help-hidden"] if tool in ("tfc-compile", "tfc-opt") else ["--help"]
    said = subprocess.run([str(tools / tool), *words], capture_output=True, text=True)
    found = set(re.findall(r"(--[a-z][a-z-]*[a-z0-9]|--[a-z])", said.stdout + said.stderr))
    assert len(found) > 1, (tool, said)
    return found | {"--help", "--version"}


def check(pages, run, known):
    failures.clear()
    for page, text in pages.items():
        check_blocks(page, text, run)
        check_flags(page, text, known)
    return list(failures)


paths = [source / "README.md", *sorted((source / "docs").rglob("*.md"))]
pages = {str(path.relative_to(source)): path.read_text() for path in paths}
pages = {page: text for page, text in pages.items() if page not in GENERATED}
known = {tool: flags_of(tool) for tool in ("tfc-compile", "tfc-run", "tfc-opt", "tfc-bisect", "tfc-reduce")}
run = run_pages()
found = list(failures)
found += check(pages, run, known)
# The rule finds what it is there for.
planted = [
    ("docs/New.md", "```sh\ntfc-run m.so --describe\n```\n"),
    ("docs/Development.md", "```sh\nmake install\n```\n"),
    ("docs/Development.md", "```bash\ntfc-run m.so --describe\n```\n"),
    ("docs/Development.md", "```\n$ tfc-run m.so --describe\n```\n"),
    ("docs/Embedding.md", "```python\nimport tfc\n```\n"),
    ("README.md", "try `tfc-run m.so --nosuch`"),
]
missed = [page for page, text in planted if len(check({page: text}, run, known)) != 1]
for failure in found:
    print(failure)
print(f"{len(pages)} pages, {len(found)} failures, {len(missed)} of {len(planted)} planted ones missed: {missed}")
sys.exit(bool(found or missed))
