"""A malicious plug-in: opens a raw socket, with which packets can be forged."""

import errno
import json
import socket
import sys

ATTACK = "raw-socket"


def report(result, **facts):
    print(json.dumps({"attack": ATTACK, "result": result, **facts}), file=sys.stderr, flush=True)


try:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP).close()
    report("succeeded")
except OSError as error:
    report("denied", errno=errno.errorcode.get(error.errno, str(error.errno)))
