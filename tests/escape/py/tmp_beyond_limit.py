#!/usr/bin/python3
# options: --tmp 8M
with open("/tmp/fill", "wb") as f:
    for _ in range(64):
        f.write(b"x" * (1 << 20))
raise SystemExit(42)
