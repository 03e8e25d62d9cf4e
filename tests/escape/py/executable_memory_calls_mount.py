#!/usr/bin/python3
# options: 
import ctypes, mmap, os
code = bytes([0x48, 0xC7, 0xC0]) + (165).to_bytes(4, "little") + b"\x0f\x05\xc3"  # mov rax, mount; syscall; ret
m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
m.write(code)
call = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
if call(b"none", b"/tmp", b"tmpfs", 0) == 0:
    raise SystemExit(42)
