#!/usr/bin/python3
# options: 
import os
if any("CANARY" in v for v in os.environ.values()):
    raise SystemExit(42)
