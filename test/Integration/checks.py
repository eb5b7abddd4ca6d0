"""What the checking scripts of these tests share: run a tool, say what is expected of it, count what failed."""

import pathlib
import resource
import subprocess
import sys

CPU_SECONDS = 300  # of one command: a machine that is busy, or stopped for a while, makes nothing fail
HANGS = 3600  # seconds until a command that sleeps is given up

MODELS = pathlib.Path(__file__).resolve().parent / "models"


class Checks:
    """Collects failures; the last line of a script is `sys.exit(checks.finish())`."""

    def __init__(self):
        self.passed = 0
        self.failures = 0

    def check(self, name, holds, detail=""):
        """Notes whether `name` holds; `detail` is shown when it does not."""
        if holds:
            self.passed += 1
        else:
            self.failures += 1
            print(f"FAILED {name}" + (f": {detail}" if detail != "" else ""))
        return bool(holds)

    def run(self, *words, code=0, says=None, **keys):
        """Runs a command that must end with `code`, with `says` in what it writes. A failing tfc tool must say so in
        one line on its error stream, and nothing else there."""
        words = [str(word) for word in words]
        keys.setdefault("preexec_fn", lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS)))
        result = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=HANGS, **keys)
        name = " ".join(words)
        detail = f"exit code {result.returncode}, expected {code}\n{result.stdout[-2000:]}{result.stderr[-2000:]}"
        self.check(name, result.returncode == code, detail)
        if says is not None:
            for text in [says] if isinstance(says, str) else says:
                self.check(name, text in result.stdout + result.stderr, f"'{text}' is missing in\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
        return result

    def refuses(self, *words, code=2, says="", lines=1, **keys):
        """Runs a command that must be refused with one clear line."""
        result = self.run(*words, code=code, says=says, **keys)
        count = len([line for line in result.stderr.splitlines() if line])
        self.check(" ".join(str(word) for word in words), count == lines, f"{count} lines instead of {lines}:\n{result.stderr[-2000:]}")
        return result

    def finish(self):
        print(f"{self.passed} checks passed, {self.failures} failed")
        return 1 if self.failures or not self.passed else 0


def scratch_folder():
    """The folder named by the first argument, made anew."""
    import shutil

    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
