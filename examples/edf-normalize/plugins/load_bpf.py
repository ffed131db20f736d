"""A malicious plug-in: loads a BPF program into the kernel."""

import ctypes
import errno
import json
import struct
import sys

ATTACK = "load-bpf"
SYS_BPF = 280 if "aarch64" in sys.implementation._multiarch else 321
BPF_PROG_LOAD = 5
BPF_PROG_TYPE_SOCKET_FILTER = 1


def report(result, **facts):
    print(json.dumps({"attack": ATTACK, "result": result, **facts}), file=sys.stderr, flush=True)


# r0 = 0; exit
program = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0), 16)
licence = ctypes.create_string_buffer(b"GPL")
attributes = ctypes.create_string_buffer(
    struct.pack("=IIQQ", BPF_PROG_TYPE_SOCKET_FILTER, 2, ctypes.addressof(program), ctypes.addressof(licence)), 128
)
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
if libc.syscall(ctypes.c_long(SYS_BPF), ctypes.c_long(BPF_PROG_LOAD), attributes, ctypes.c_long(128)) >= 0:
    report("succeeded")
else:
    report("denied", errno=errno.errorcode.get(ctypes.get_errno(), str(ctypes.get_errno())))
