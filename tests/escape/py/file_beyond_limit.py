#!/usr/bin/python3
# options: --write . --file-size 1M
import os, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open(os.environ["A_WS"] + "/big", "wb") as f:
    f.write(b"x" * (4 << 20))
raise SystemExit(42)
