#!/usr/bin/python3
# options: --write .
import os, socket
os.chdir(os.environ["A_WS"])
os.link("sock", "second")
os.rename("sock", "mine")
os.symlink("mine", "way")
here = os.open(".", os.O_RDONLY)
file = os.open("mine", os.O_PATH)
for name in ("mine", "second", "way", f"/proc/self/fd/{here}/mine", f"/proc/self/fd/{file}", "/proc/self/cwd/mine", "/proc/self/root" + os.path.realpath("mine")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        try:
            socket.socket(socket.AF_UNIX, kind).connect(name)
            raise SystemExit(42)
        except OSError:
            pass
raise SystemExit(1)
