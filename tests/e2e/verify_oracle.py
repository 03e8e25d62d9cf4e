#!/usr/bin/python3
"""verify_oracle.py COFFER-VERIFY PATH…: Anvil's rules once more, over CPython's own ast, and whether coffer-verify says the same in the same order.

A PATH is a Python file, or a folder of them. Files that ast.parse refuses count as agreed when coffer-verify finds them broken or says nothing that could be
compared; how CPython words it is another test. Prints what differs, then one line of figures; exit status 1 when something differs.
"""
import ast
import glob
import json
import os
import subprocess
import sys
import time
import warnings

IMPORTS = "subprocess multiprocessing ctypes socket paramiko fabric shutil".split()
FUNCTIONS = "eval exec compile open __import__ getattr setattr delattr globals locals".split()
CALLS = "os.system os.popen os.remove os.rmdir os.unlink shutil.rmtree shutil.move".split()
PROCESS = "subprocess.run subprocess.call subprocess.Popen subprocess.check_output".split()


def messages(tree):
    """Breadth first, as ast.walk goes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"Blocked import: {alias.name}" for alias in node.names if alias.name in IMPORTS)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in IMPORTS:
            yield f"Blocked import: {node.module}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            yield f"Blocked function call: {node.func.id}()"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            name = f"{node.func.value.id}.{node.func.attr}"
            if name in CALLS + PROCESS or name.startswith(("os.spawn", "os.exec")):
                yield f"Dangerous call: {name}()"


def expected(source):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(messages(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def judge(program, sources, *options):
    frames = b"".join(b"python %d\n%s" % (len(source), source) for source in sources)
    done = subprocess.run([program, *options], input=frames, capture_output=True, check=True)
    at = 0
    for _ in sources:
        line = done.stdout.index(b"\n", at)
        n = int(done.stdout[at:line])
        yield json.loads(done.stdout[line + 1 : line + 1 + n])
        at = line + 1 + n
    assert at == len(done.stdout)


def batches(paths, bytes_=48 << 20):
    batch, size = [], 0
    for path in paths:
        with open(path, "rb") as file:
            source = file.read()
        if len(source) > 1 << 20:
            continue
        batch.append((path, source))
        size += len(source)
        if size > bytes_:
            yield batch
            batch, size = [], 0
    yield batch


def find(paths):
    for path in paths:
        yield from sorted(glob.glob(f"{path}/**/*.py", recursive=True)) if os.path.isdir(path) else [path]


def main(program, paths):
    files = bytes_ = broken = differ = said = wrongly = 0
    seconds = 0.0
    for batch in batches(find(paths)):
        begin = time.monotonic()
        answers = list(judge(program, [source for _, source in batch], "--mode", "anvil"))
        seconds += time.monotonic() - begin
        for (path, source), answer in zip(batch, answers):
            wanted = expected(source)
            files += 1
            bytes_ += len(source)
            if wanted is None:
                broken += 1
                continue
            got = [finding["message"] for finding in answer.get("findings", [])]
            said += len(wanted)
            if answer.get("broken"):
                wrongly += 1
                continue
            if got != wanted:
                differ += 1
                first = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
                print(f"{path}: {answer.get('error')} {len(got)} messages, {len(wanted)} expected; from number {first}: {got[first:first+2]} for {wanted[first:first+2]}")
    print(f"files {files} bytes {bytes_} messages {said} refused-by-cpython {broken} broken-here-only {wrongly} differ {differ} rate {bytes_ / max(seconds, 1e-9) / 1e6:.1f} MB/s")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
