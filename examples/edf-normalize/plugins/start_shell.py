"""A malicious plug-in: starts a shell that starts another program."""

import errno
import json
import os
import sys

ATTACK = "start-shell"


def report(result, **facts):
    print(json.dumps({"attack": ATTACK, "result": result, **facts}), file=sys.stderr, flush=True)


try:
    # The second command keeps the shell from replacing itself by the first.
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "/usr/bin/id >/dev/null && exit 0"], {"PATH": "/usr/bin:/bin"})
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    report("succeeded" if code == 0 else "denied", exit_code=code)
except OSError as error:
    report("denied", errno=errno.errorcode.get(error.errno, str(error.errno)))
