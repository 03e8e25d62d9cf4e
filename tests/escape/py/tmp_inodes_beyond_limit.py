#!/usr/bin/python3
# options: --tmp-inodes 200
import os
os.makedirs("/tmp/many", exist_ok=True)
for i in range(1000):
    open(f"/tmp/many/{i}", "w").close()
raise SystemExit(42)
