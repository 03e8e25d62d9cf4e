#!/usr/bin/python3
# options: --write .
import os
os.mkfifo(os.environ["A_WS"] + "/.envrc")
raise SystemExit(42)
