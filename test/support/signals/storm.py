"""The Python program of the signal tests: files, memory, pipes, children and threads of an interpreter that a timer
interrupts all the time. In every run that loses nothing it says the same, and ends with 0.
Usage: storm.py ROUNDS
"""

import errno
import fcntl
import hashlib
import mmap
import os
import signal
import subprocess
import sys
import threading

TIMER_S = 100e-6
signals = 0
problems = {}
digest = hashlib.sha256()


def count_signal(_number, _frame):
    global signals
    signals += 1


def tried(name, action, *arguments):
    """The result of a call that must not fail."""
    try:
        return action(*arguments)
    except OSError as error:
        key = f'{name} {errno.errorcode.get(error.errno, error.errno)}'
        problems[key] = problems.get(key, 0) + 1
        return None


def expect(name, seen, wanted):
    if seen != wanted:
        problems[name] = problems.get(name, 0) + 1


def files(number):
    path = f'/tmp/file-{number % 8}'
    descriptor = tried('open', os.open, path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    if descriptor is None:
        return
    tried('write', os.write, descriptor, b'round %d' % number * 100)
    copy = tried('dup', os.dup, descriptor)
    flags = tried('fcntl', fcntl.fcntl, descriptor, fcntl.F_GETFD)
    status = tried('fstat', os.fstat, descriptor)
    memory = tried('mmap', mmap.mmap, descriptor, 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
    if memory is not None:
        digest.update(memory[:])
        memory.close()
    if copy is not None:
        tried('close', os.close, copy)
    tried('close', os.close, descriptor)
    tried('rename', os.rename, path, f'{path}-kept')
    expect('flags', flags, fcntl.FD_CLOEXEC)
    expect('size', status and status.st_size, len(b'round %d' % number * 100))
    expect('parent', os.getppid(), PARENT)


def pipes(number):
    sent = b'line %d\n' % number * 200
    ended = tried('cat', lambda: subprocess.run(['cat'], input=sent, capture_output=True, check=False))
    expect('cat', ended and (ended.returncode, ended.stdout, ended.stderr), (0, sent, b''))
    # A child that answers nothing, and ends by itself.
    ended = tried('sh', lambda: subprocess.run(['sh', '-c', f'exit {number % 100}'], check=False))
    expect('sh', ended and ended.returncode, number % 100)
    digest.update(sent)


def threads(number):
    results = []
    each = [threading.Thread(target=lambda part=part: results.append(part * number)) for part in range(3)]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()
    expect('threads', sorted(results), [0, number, 2 * number])


PARENT = os.getppid()
signal.signal(signal.SIGALRM, count_signal)
signal.setitimer(signal.ITIMER_REAL, TIMER_S, TIMER_S)
for round_number in range(1, int(sys.argv[1]) + 1):
    for part in range(20):
        files(round_number * 20 + part)
    pipes(round_number)
    threads(round_number)
signal.setitimer(signal.ITIMER_REAL, 0)
print('problems:', problems or 'none')
print('digest:', digest.hexdigest())
print('signals:', 'often' if signals >= 100 else 'too few')
sys.exit(bool(problems) or signals < 100)
