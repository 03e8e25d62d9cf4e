#!/usr/bin/python3
"""archives.py PROGRAM DIRECTORY: hostile archives, made here, against `coffer-unpack extract`. archives.py --seeds DIRECTORY writes the small ones for fuzzing.

Each case has what must come of it: a status, and files that are there or not. For all of them: nothing outside the target has changed, whether by content,
mode, owner, time or number of names; no device, fifo, set-id bit is in the target; the limits hold; it ends in time. Prints TAP.
"""
import bz2
import gzip
import io
import json
import lzma
import os
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib

DONE, MALFORMED, REFUSED, LIMIT = 0, 3, 4, 5
PROGRAM, TOP = sys.argv[1], sys.argv[2]
OUT = "/tmp/out" if PROGRAM == "--seeds" else os.path.join(TOP, "out")  # seeds are the same wherever they are made
TARGET = os.path.join(TOP, "target")
CASES = []


def case(want, *options, there=(), absent=(), before=None):
    """A function that returns an archive. want: the status, or a tuple of those that are fine."""

    def add(function):
        CASES.append((function, want if isinstance(want, tuple) else (want,), options, there, absent, before))
        return function

    return add


def info(name, kind=tarfile.REGTYPE, **fields):
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry


def tar(*entries, form=tarfile.PAX_FORMAT):
    """entries: names (with content "x"), TarInfo, or (TarInfo, bytes)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as archive:
        for entry in entries:
            if isinstance(entry, str):
                entry = (info(entry), b"x")
            if isinstance(entry, tarfile.TarInfo):
                entry = (entry, b"")
            if entry[0].isreg():
                entry[0].size = len(entry[1])
            archive.addfile(entry[0], io.BytesIO(entry[1]))
    return out.getvalue()


def header(name, size=b"00000000000\0", kind=b"0", magic=b"ustar\x0000", checksum=True, link=b""):
    """A ustar header by hand."""
    block = bytearray(512)
    block[0 : len(name)] = name
    block[100:108], block[108:116], block[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    block[124:136], block[136:148], block[148:156] = size, b"00000000000\0", b" " * 8
    block[156:157], block[157 : 157 + len(link)], block[257:265] = kind, link, magic
    if checksum:
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(records):
    body = b""
    for key, value in records:
        line = b" %s=%s\n" % (key, value)
        n = len(line)
        while len(str(n)) + len(line) != n:
            n = len(str(n)) + len(line)
        body += str(n).encode() + line
    return header(b"pax", b"%011o\0" % len(body), b"x") + body + b"\0" * (-len(body) % 512)


END = b"\0" * 1024
LINK, HARD, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE

# --- names that lead out
case(REFUSED)(lambda: tar("../escaped"))
case(REFUSED)(lambda: tar("a/../../escaped"))
case(REFUSED)(lambda: tar("./../escaped"))
case(REFUSED)(lambda: tar("a/.."))
case(REFUSED)(lambda: tar(OUT + "/escaped"))
case(REFUSED)(lambda: tar("/" + OUT + "/escaped"))
case(REFUSED)(lambda: tar("../out/" + "n" * 90 + "/escaped", form=tarfile.GNU_FORMAT))
case(REFUSED)(lambda: pax([(b"path", b"../out/escaped")]) + header(b"fine") + END)
case(DONE, there=["..."])(lambda: tar("..."))
case((REFUSED, MALFORMED))(lambda: header(b"") + END)
case(REFUSED)(lambda: tar(info(".", tarfile.REGTYPE)))
case(DONE)(lambda: tar(info(".", DIR, mode=0), info("./", DIR, mode=0)))

# --- links, and writing through them
case(REFUSED, absent=["l/escaped"])(lambda: tar(info("l", LINK, linkname="../out"), "l/escaped"))
case(REFUSED)(lambda: tar(info("l", LINK, linkname=OUT), "l/escaped"))
case(REFUSED)(lambda: tar(info("a", DIR), info("a/l", LINK, linkname=".."), info("b", LINK, linkname="a/l/.."), "b/out/secret"))
case(REFUSED)(lambda: tar(info("l", LINK, linkname="../out"), info("l/d", DIR)))
case(DONE, there=["l"])(lambda: tar(info("l", LINK, linkname="../out/secret"), "l"))
case(DONE, there=["l"])(lambda: tar(info("l", LINK, linkname="../out"), info("l", DIR, mode=0o777)))
case(REFUSED)(lambda: tar(info("d", DIR), info("d", LINK, linkname="../out"), "d/escaped"))
case(REFUSED)(lambda: tar("d/f", info("d", LINK, linkname="../out"), "d/escaped"))
case(REFUSED)(lambda: tar(*[info("/".join(["n" * 200] * i), DIR) for i in range(1, 8)], info("n" * 200 + "/up", LINK, linkname="../" * 9 + "out"), "n" * 200 + "/up/escaped"))
case(REFUSED, before=lambda: os.symlink("../out", TARGET + "/there"))(lambda: tar("there/escaped"))
case(DONE, there=["there"], before=lambda: os.symlink("../out/secret", TARGET + "/there"))(lambda: tar("there"))
case(REFUSED, before=lambda: os.mkdir(TARGET + "/there"))(lambda: tar("there"))

# --- hard links
case(REFUSED)(lambda: tar(info("h", HARD, linkname=OUT + "/secret")))
case(REFUSED)(lambda: tar(info("h", HARD, linkname="../out/secret"), "h"))
case(REFUSED)(lambda: tar(info("l", LINK, linkname="../out"), info("h", HARD, linkname="l/secret"), "h"))
case(REFUSED)(lambda: tar(info("l", LINK, linkname="../out/secret"), info("h", HARD, linkname="l"), "h"))
case((REFUSED, 6))(lambda: tar(info("h", HARD, linkname="none")))
case(REFUSED, before=lambda: open(TARGET + "/mine", "w").close())(lambda: tar(info("h", HARD, linkname="mine")))
case(REFUSED)(lambda: tar(info("d", DIR), info("h", HARD, linkname="d")))
case(REFUSED)(lambda: tar(info("h", HARD, linkname=".")))
case(DONE, there=["a", "d/h"])(lambda: tar("a", info("d/h", HARD, linkname="./a")))

# --- metadata
case(DONE)(lambda: tar(info("l", LINK, linkname="../out/secret", mode=0o777, mtime=1), info("l", LINK, linkname="../out", mode=0o4777, mtime=1)))
case(DONE)(lambda: tar((info("s", mode=0o6755, uid=0, gid=0), b"x"), info("t", DIR, mode=0o7777)))
case(DONE)(lambda: tar((info("c", pax_headers={"SCHILY.xattr.security.capability": "x", "SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.acl.access": "user::rwx"}), b"x")))
case(DONE, there=["d/f"])(lambda: tar(info("d", DIR, mode=0), "d/f"))
case(DONE)(lambda: tar(info("d", DIR, mtime=-(2**40)), (info("f", mtime=2**40), b"x")))

# --- what is no file
for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
    case(REFUSED)(lambda kind=kind: tar(info("dev", kind, devmajor=1, devminor=3)))
    case(DONE, "--skip-special", there=["after"], absent=["dev"])(lambda kind=kind: tar(info("dev", kind, devmajor=1, devminor=3), "after"))
case(REFUSED)(lambda: tar(info("wh", tarfile.CHRTYPE, devmajor=0, devminor=0)))
case(REFUSED, "--snapshot")(lambda: tar(info("dev", tarfile.CHRTYPE, devmajor=1, devminor=3)))

# --- headers that disagree
SMUGGLED = header(b"smuggled")
case((DONE, MALFORMED), absent=["smuggled"])(lambda: pax([(b"size", b"1024")]) + header(b"f", b"00000000000\0") + SMUGGLED + b"\0" * 512 + END)
case((DONE, MALFORMED), absent=["smuggled"])(lambda: pax([(b"size", b"512")]) + header(b"f", b"%011o\0" % 0) + SMUGGLED + END)
case((MALFORMED, REFUSED, LIMIT))(lambda: header(b"f", b"\xff" * 12) + END)
case((MALFORMED, LIMIT))(lambda: header(b"f", b"\x80" + b"\x7f" * 11) + END)
case((MALFORMED, LIMIT))(lambda: header(b"f", b"77777777777\0") + END)
case((MALFORMED, LIMIT))(lambda: pax([(b"size", b"99999999999999999999")]) + header(b"f") + END)
case(MALFORMED)(lambda: header(b"f", checksum=False) + END)
case((MALFORMED, DONE))(lambda: header(b"f", b"zzzzzzzzzzz\0") + END)
case((MALFORMED, DONE), absent=["x"])(lambda: header(b"pax", b"%011o\0" % 30, b"x") + b"garbage without a length".ljust(512, b"\0") + header(b"f") + END)
case((MALFORMED, LIMIT))(lambda: header(b"pax", b"77777777777\0", b"x") + b"\0" * 4096)
case((MALFORMED, LIMIT))(lambda: header(b"././@LongLink", b"77777777777\0", b"L", b"ustar  \0") + b"a" * 4096)
case(MALFORMED)(lambda: tar("f", (info("big"), b"y" * 5000))[:3000])
case(MALFORMED)(lambda: header(b"f"))
case(MALFORMED)(lambda: (header(b"f", b"%011o\0" % 1024) + b"\0" * 1024))
case(MALFORMED)(lambda: tar("f") + b"garbage")
case(MALFORMED)(lambda: header(b"a") + b"\0" * 1024 + header(b"b") + END)
case(MALFORMED)(lambda: b"")
case(MALFORMED)(lambda: b"not an archive at all" * 100)
case(MALFORMED)(lambda: b"\0" * 100)

# --- compression
case(DONE, there=["f"])(lambda: gzip.compress(tar("f")))
case(DONE, there=["f"])(lambda: bz2.compress(tar("f")))
case(DONE, there=["f"])(lambda: lzma.compress(tar("f")))
case(DONE, there=["f", "g"])(lambda: (lambda t: gzip.compress(t[:700]) + gzip.compress(t[700:]))(tar("f", "g")))
case(MALFORMED, absent=["g"])(lambda: gzip.compress(tar("f")) + gzip.compress(tar("g")))
case(MALFORMED)(lambda: gzip.compress(tar("f")) + b"garbage")
case(DONE, there=["f"])(lambda: gzip.compress(tar("f")) + b"\0" * 512)
case(MALFORMED)(lambda: gzip.compress(tar("f"))[:-20])
case((MALFORMED, DONE))(lambda: (lambda z: z[:-6] + b"\xff" + z[-5:])(gzip.compress(tar("f"))))  # libarchive does not look at gzip's checksum
case(MALFORMED)(lambda: gzip.compress(gzip.compress(tar("f"))))
case(MALFORMED)(lambda: lzma.compress(tar("f"))[:-30])

# --- bombs
MIB = 1 << 20
case(LIMIT, "--bytes", "64M")(lambda: gzip.compress(tar((info("zeros"), b"\0" * (65 * MIB)))))
case(LIMIT, "--ratio", "100")(lambda: gzip.compress(tar((info("zeros"), b"\0" * (32 * MIB)))))
case(LIMIT, "--bytes", "64M")(lambda: (lambda one: gzip.compress(one[:-10240] + one))(tar(*[(info(f"z{i}"), b"\0" * (11 * MIB)) for i in range(3)])))
case(LIMIT, "--bytes", "16M")(lambda: tar(*[(info(f"z{i}"), b"\0" * MIB) for i in range(17)]))
case(LIMIT, "--bytes", "1G")(lambda: gnu_sparse(1 << 40))
case(LIMIT, "--bytes", "1G")(lambda: pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"s"), (b"GNU.sparse.realsize", b"%d" % (1 << 40))]) + header(b"s", b"%011o\0" % 512) + b"0\n".ljust(512, b"\0") + END)
case(LIMIT, "--entries", "1000")(lambda: tar(*[info(f"d{i}", DIR) for i in range(1001)]))
case(LIMIT, "--entries", "50")(lambda: tar("/".join("d" * 60)))
case(LIMIT)(lambda: tar("/".join("d" * 257)))
case(LIMIT)(lambda: tar("/".join("d" * 3000)))
case(LIMIT)(lambda: tar("n" * 256))
case(LIMIT, "--depth", "2048")(lambda: tar("/".join(["n" * 250] * 17)))
case(DONE, there=["n" * 255])(lambda: tar("n" * 255))
case(LIMIT, "--bytes", "10M")(lambda: tar(*[(info("same"), b"\0" * MIB) for _ in range(11)]))
case(LIMIT, "--bytes", "8M", "--entries", "100")(lambda: b"".join(pax([(b"comment", b"c" * 900000)]) for _ in range(20)) + header(b"f") + END)
case((LIMIT, MALFORMED), "--bytes", "1M")(lambda: lzma_dictionary())


def gnu_sparse(size):
    """A GNU sparse header of the old kind: one byte of data at the end of a hole."""
    block = bytearray(header(b"sparse", b"%011o\0" % 512, b"S", b"ustar  \0"))
    block[386:398], block[398:410] = b"%011o\0" % (size - 512 if size < 1 << 33 else 0o77777777000), b"%011o\0" % 512
    block[483:495] = b"\x80" + struct.pack(">3xQ", size)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + b"x" * 512 + END


def lzma_dictionary():
    """Asks for a dictionary of 1.5 GiB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
    data = bytearray(lzma.compress(tar((info("f"), os.urandom(4096))), filters=filters))
    data[12 + 4] = 39  # of the block header behind the stream header: the size, as 2^n or 3·2^(n-1)
    data[12 + 8 : 12 + 12] = struct.pack("<I", zlib.crc32(bytes(data[12 : 12 + 8])))
    return bytes(data)


# --- names that only look odd: they are names
ODD = ["new\nline", "esc\x1b[2J", "-rf", "back\\slash", "\u202egnp.exe", "\u00e9", "Makefile", "makefile", " ", "CON", ".wh.x", ".wh..wh..opq", "%2e%2e%2f", "a:b"]
case(DONE, there=ODD)(lambda: tar(*ODD))
case(DONE, there=["e\u0301", "\u00e9"])(lambda: tar("e\u0301", "\u00e9", form=tarfile.GNU_FORMAT))
case(DONE, there=["\u00e9"])(lambda: tar("e\u0301"))  # in pax, libarchive composes: docs/decisions/archives.md
case(DONE, there=[b"\xff\xfe"])(lambda: header(b"\xff\xfe") + END)
case(DONE, there=["\u00e9" * 50, "z"])(lambda: tar("\u00e9" * 50, "z"))
case(DONE, there=["a/b"])(lambda: tar("a//./b"))
case(DONE, there=["long/" + "n" * 200])(lambda: tar("long/" + "n" * 200, form=tarfile.GNU_FORMAT))
case(DONE, there=["f"])(lambda: tar("f", "f", form=tarfile.USTAR_FORMAT))


# --- zip
def zipped(*entries, mode=0o644):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body, *kind in entries:
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = ((kind[0] if kind else stat.S_IFREG | mode) & 0xFFFF) << 16
            archive.writestr(entry, body)
    return out.getvalue()


case(DONE, there=["a/b"])(lambda: zipped(("a/b", b"x")))
case(REFUSED)(lambda: zipped(("../escaped", b"x")))
case(REFUSED)(lambda: zipped((OUT + "/escaped", b"x")))
case(REFUSED)(lambda: zipped(("l", b"../out", stat.S_IFLNK | 0o777), ("l/escaped", b"x")))
case(DONE)(lambda: zipped(("s", b"x", stat.S_IFREG | 0o6755)))
case((REFUSED, DONE), absent=["p/x"])(lambda: zipped(("p", b"", stat.S_IFIFO | 0o644)))
case(LIMIT, "--bytes", "16M")(lambda: zipped(("zeros", b"\0" * (17 * MIB))))
case(LIMIT, "--ratio", "100")(lambda: zipped(("zeros", b"\0" * (32 * MIB))))
case((LIMIT, MALFORMED))(lambda: zipped(("f", b"0" * 100000)).replace(struct.pack("<I", 100000), b"\x10\0\0\0"))
case(MALFORMED)(lambda: zipped(("f", b"0" * 100))[:50])
case((MALFORMED, DONE))(lambda: zipped(("good", b"x")).replace(b"good", b"evil", 1))
case(REFUSED)(lambda: zipped(("aa/escaped", b"x")).replace(b"aa/esc", b"../esc", 1))
case((REFUSED, MALFORMED, DONE))(lambda: (lambda z: z[:40] + z[40:].replace(b"aa/esc", b"../esc"))(zipped(("aa/escaped", b"x"))))


def outside():
    """All that can be told of what is beside the target."""
    seen = []
    for folder, dirs, files in os.walk(OUT):
        for name in [""] + dirs + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            body = open(path, "rb").read() if stat.S_ISREG(st.st_mode) else b""
            seen.append((path, st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_size, st.st_mtime_ns, body))
    return sorted(seen), sorted(os.listdir(TOP)), os.stat(TARGET).st_mode


def harmless():
    """What must not be in the target."""
    for folder, dirs, files in os.walk(TARGET.encode()):
        for name in dirs + files:
            st = os.lstat(os.path.join(folder, name))
            if not (stat.S_ISREG(st.st_mode) or stat.S_ISDIR(st.st_mode) or stat.S_ISLNK(st.st_mode)):
                return f"{name!r} is of a kind that is never made"
            if st.st_mode & 0o7000 and not stat.S_ISLNK(st.st_mode):
                return f"{name!r} has mode {st.st_mode:o}"
            if name.startswith(b".coffer-"):
                return f"{name!r} is left over"
            if stat.S_ISREG(st.st_mode) and os.listxattr(os.path.join(folder, name)):
                return f"{name!r} has attributes"
    return None


def clean():
    subprocess.run(["chmod", "-R", "u+rwX", TARGET], stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(TARGET, ignore_errors=True)
    os.mkdir(TARGET)


def run(archive, options):
    target = os.open(TARGET, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return subprocess.run(["sh", "-c", 'exec "$0" extract "$@" 3<&%d' % target, PROGRAM, *options], input=archive, capture_output=True,
                              pass_fds=[target], timeout=60, check=False)
    finally:
        os.close(target)


def size_of_target():
    out = subprocess.run(["du", "-s", "-B1", TARGET], capture_output=True, text=True, check=False).stdout
    return int(out.split()[0])


def fault(function, want, options, there, absent, before):
    clean()
    if before:
        before()
    whole, begin = outside(), time.monotonic()
    done = run(function(), options)
    line = done.stderr.decode("utf-8", "strict").strip()
    if done.returncode not in want:
        return f"status {done.returncode}, not {want}: {line}"
    if "\n" in line or set(json.loads(line)) < {"status", "files", "bytes"} or any(ord(c) < 32 for c in line):
        return f"the report is not one line of JSON: {line!r}"
    if time.monotonic() - begin > 20:
        return "it took more than 20 seconds"
    if outside() != whole:
        return f"something outside has changed: {line}"
    if size_of_target() > 80 << 20:
        return "more on the disk than any limit allows"
    kinds = harmless()
    subprocess.run(["chmod", "-R", "u+rwX", TARGET], stderr=subprocess.DEVNULL, check=False)
    missing = [name for name in there if not os.path.lexists(os.path.join(os.fsencode(TARGET), os.fsencode(name)))]
    there = [name for name in absent if os.path.lexists(os.path.join(TARGET, name))]
    return kinds or (f"missing: {missing}" if missing else None) or (f"there: {there}" if there else None)


def seeds():
    for number, one in enumerate(CASES):
        data = one[0]()
        if len(data) > 1024 and data[-1024:] == END:
            data = data.rstrip(b"\0")
            data += b"\0" * (-len(data) % 512) + END
        if len(data) <= 2560:
            with open(os.path.join(TOP, f"{number:03d}"), "wb") as file:
                file.write(data)
    return 0


def main():
    os.makedirs(OUT)
    os.makedirs(TARGET)
    with open(OUT + "/secret", "w", encoding="ascii") as file:
        file.write("secret\n")
    os.chmod(OUT + "/secret", 0o640)
    failed = 0
    for number, one in enumerate(CASES, 1):
        try:
            what = fault(*one)
        except Exception as problem:  # a test that breaks has failed, and the next one runs
            what = repr(problem)
        failed += what is not None
        print(f"{'not ok' if what else 'ok'} {number} - line {one[0].__code__.co_firstlineno}" + (f"\n# {what}" if what else ""))
    clean()
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(seeds() if PROGRAM == "--seeds" else main())
