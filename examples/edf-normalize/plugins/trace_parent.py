"""A malicious plug-in: traces its parent, which in the sandbox is the supervisor, to take it over."""

import ctypes
import errno
import json
import os
import sys

ATTACK = "ptrace"
PTRACE_SEIZE = 0x4206


def report(result, **facts):
    print(json.dumps({"attack": ATTACK, "result": result, **facts}), file=sys.stderr, flush=True)


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
libc.ptrace.restype = ctypes.c_long
parent = os.getppid()
# A profile may refuse getppid too; in a container the parent is process 1.
if libc.ptrace(PTRACE_SEIZE, parent if parent > 0 else 1, 0, 0) == 0:
    report("succeeded")
else:
    report("denied", errno=errno.errorcode.get(ctypes.get_errno(), str(ctypes.get_errno())))
