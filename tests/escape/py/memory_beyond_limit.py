#!/usr/bin/python3
# options: --memory 64M
data = bytearray()
for _ in range(40):
    data += b"x" * (8 << 20)
raise SystemExit(42)
