"""A malicious plug-in: makes namespaces of its own, in which it would be root."""

import ctypes
import errno
import json
import sys

ATTACK = "unshare"
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000


def report(result, **facts):
    print(json.dumps({"attack": ATTACK, "result": result, **facts}), file=sys.stderr, flush=True)


libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(ctypes.c_int(CLONE_NEWUSER | CLONE_NEWNS)) == 0:
    report("succeeded")
else:
    report("denied", errno=errno.errorcode.get(ctypes.get_errno(), str(ctypes.get_errno())))
