#!/usr/bin/python3
# options: --write .
import os, shutil
ws = os.environ["A_WS"]
try:
    os.unlink(ws + "/.env")
    raise SystemExit(42)
except OSError:
    pass
