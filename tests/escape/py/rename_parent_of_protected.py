#!/usr/bin/python3
# options: --write .
import os
ws = os.environ["A_WS"]
os.rename(ws + "/deep", ws + "/deeper")
os.makedirs(ws + "/deep/repo/.git/hooks")
open(ws + "/deep/repo/.git/hooks/pre-commit", "w").write("owned")
raise SystemExit(42)
