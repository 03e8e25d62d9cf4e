#!/usr/bin/python3
# options: --write .
# A hook that exists, further down than anybody searches: written, emptied, replaced, or reached by a second name.
import os

hooks = os.path.join(os.environ["A_WS"], "one/two/three/four/five/repo/.git/hooks")
hook = os.path.join(hooks, "pre-commit")
ways = [
    lambda: os.write(os.open(hook, os.O_WRONLY), b"owned"),
    lambda: os.write(os.open(hook, os.O_RDWR), b"owned"),
    lambda: os.open(hook, os.O_RDONLY | os.O_TRUNC),
    lambda: os.write(os.open(f"/proc/self/fd/{os.open(hook, os.O_RDONLY)}", os.O_WRONLY), b"owned"),
    lambda: os.truncate(hook, 0),
    lambda: os.link(hook, "second") or os.write(os.open("second", os.O_WRONLY), b"owned"),
    lambda: os.rename(hook, "away"),
    lambda: os.unlink(hook),
]
for way in ways:
    try:
        way()
    except OSError:
        continue
    raise SystemExit(42)
raise SystemExit(1)
