#!/usr/bin/python3
# options: 
import os
for fd in range(3, 64):
    try:
        top = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        if "secret" in os.listdir(top):
            raise SystemExit(42)
    except OSError:
        pass
