#!/usr/bin/python3
# options: --processes 64
import os, time
alive = 0
try:
    for _ in range(400):
        if os.fork() == 0:
            time.sleep(1)
            os._exit(0)
        alive += 1
except OSError:
    pass
raise SystemExit(42 if alive >= 400 else 1)
