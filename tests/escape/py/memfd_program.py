#!/usr/bin/python3
# options: 
import os
fd = os.memfd_create("x", 0)
with open("/bin/cat", "rb") as f:
    os.write(fd, f.read())
pid = os.fork()
if pid == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execve(fd, ["cat", os.environ["A_OUT"] + "/secret"], {})
raise SystemExit(42 if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0 else 1)
