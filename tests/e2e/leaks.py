"""leaks.py N: N runs by one process through libcoffer; descriptors, threads, children, mounts and memory of the process are as before."""
import ctypes
import os
import sys

BUILD = os.path.abspath(os.environ.get("COFFER_BUILD") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build"))
library = ctypes.CDLL(os.path.join(BUILD, "libcoffer.so"))


def call(name, *arguments):
    error = ctypes.create_string_buffer(8192)
    status = getattr(library, name)(*arguments, error)
    assert status == 0, (name, status, [text for text in error.raw.split(b'\0') if text])


def words(*texts):
    return (ctypes.c_char_p * (len(texts) + 1))(*texts, None)


def run(coffer, policy, argv):
    request, outcome = ctypes.c_void_p(), ctypes.c_void_p()
    call("coffer_request_new", coffer, policy, argv, ctypes.byref(request))
    library.coffer_request_streams(request, -1, -1, -1)
    call("coffer_run", request, ctypes.byref(outcome))
    status = library.coffer_outcome_exit_code(outcome)
    library.coffer_outcome_free(outcome)
    library.coffer_request_free(request)
    return status


def state():
    def children():
        with open("/proc/self/task/%d/children" % os.getpid(), encoding="ascii") as file:
            return file.read()

    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line for line in file if "coffer" in line]
    fds = sorted(os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd") if os.path.lexists("/proc/self/fd/" + fd))
    return fds, os.listdir("/proc/self/task"), children(), mounts


def memory_kib():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def main(runs):
    for name in ("coffer_request_streams", "coffer_outcome_exit_code", "coffer_outcome_free", "coffer_request_free"):
        getattr(library, name).argtypes = [ctypes.c_void_p] + [ctypes.c_int] * 3 * (name == "coffer_request_streams")
    coffer, policy = ctypes.c_void_p(), ctypes.c_void_p()
    call("coffer_new", ctypes.byref(coffer))
    call("coffer_set_launcher", coffer, os.path.join(BUILD, "coffer-launch").encode())
    call("coffer_policy_new", ctypes.byref(policy))
    kinds = [words(b"true"), words(b"sh", b"-c", b"sleep 1000 & exit 3"), words(b"no-such-command")]
    for argv in kinds:
        run(coffer, policy, argv)
    before, memory_before = state(), memory_kib()
    for i in range(runs):
        status = run(coffer, policy, kinds[i % 3])
        assert status == (0, 3, 127)[i % 3], (i, status)
    assert state() == before, (before, state())
    assert memory_kib() - memory_before < 2048, (memory_before, memory_kib())


main(int(sys.argv[1]))
