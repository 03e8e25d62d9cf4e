#!/usr/bin/python3
# options: 
import os
seen = 0
for top in ("/home", "/root", "/var", "/srv", "/mnt", "/run", "/boot"):
    for here, dirs, files in os.walk(top):
        for name in files:
            try:
                with open(os.path.join(here, name), "rb") as f:
                    if b"CANARY" in f.read(4096):
                        raise SystemExit(42)
            except OSError:
                pass
            seen += 1
            if seen > 20000:
                raise SystemExit(1)
