import { describe, expect, it } from 'vitest';
import { ARCHITECTURES } from '../model/profile.js';
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { beyondDefaultNames, engineDefaultNames, grantedNames } from './engine-default.js';
import { BASIC_CALLS, broughtBy, callClass, callFacts, KNOWN_CALLS } from './families.js';
import { requireKnownAnywhere, syscallNames } from './syscalls.js';

const brought = (name: string) => broughtBy(name).map(({ name: other }) => other);
const IMPLIED = KNOWN_CALLS.flatMap(brought);

describe('the table of families', () => {
  it('says of every call of every architecture what it is, and of no other', () => {
    for (const architecture of ARCHITECTURES) {
      expect(syscallNames(architecture).filter((name) => callFacts(name) === undefined)).toEqual([]);
    }
    requireKnownAnywhere(KNOWN_CALLS, 'the table');
  });

  it('has each call once', () => {
    expect(new Set(KNOWN_CALLS).size).toBe(KNOWN_CALLS.length);
  });

  it('calls dangerous whatever the ceiling refuses', () => {
    expect(DEFAULT_CEILING.filter((name) => callClass(name) !== 'dangerous')).toEqual([]);
  });

  it('calls basic only what a container engine lets every program do', () => {
    const byEngine = ARCHITECTURES.flatMap(engineDefaultNames);
    expect(BASIC_CALLS.filter((name) => !byEngine.includes(name))).toEqual([]);
  });

  it.each(
    `waitid sendto recvfrom setsockopt shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
     inotify_init inotify_init1 inotify_add_watch inotify_rm_watch sched_getattr sched_setattr ioprio_get ioprio_set
     move_pages timer_create splice tee vmsplice memfd_create memfd_secret setxattr lsetxattr fsetxattr removexattr kill
     io_setup io_submit io_getevents io_uring_setup socket socketpair connect bind listen accept accept4 sendmsg recvmsg
     execve execveat ptrace mknod`.split(/\s+/),
  )('allows %s only where it was seen', (name) => {
    expect(BASIC_CALLS).not.toContain(name);
    expect(IMPLIED).not.toContain(name);
    expect(['authority', 'dangerous']).toContain(callClass(name));
  });

  it('brings epoll_ctl with epoll_create and by nothing of another family', () => {
    expect(brought('epoll_create1')).toContain('epoll_ctl');
    const bringing = KNOWN_CALLS.filter((name) => brought(name).includes('epoll_ctl'));
    expect(bringing.every((name) => name.startsWith('epoll_'))).toBe(true);
  });

  it.each([
    ['openat', ['unlink', 'unlinkat', 'renameat2', 'mkdir', 'fchmod', 'link', 'statfs', 'copy_file_range', 'statx']],
    ['unlink', ['renameat2', 'mkdirat', 'fchmod', 'newfstatat']],
    ['clone', ['wait4', 'pipe2', 'fork', 'setpgid']],
    ['execve', ['wait4', 'pipe2', 'vfork']],
    ['pipe2', ['pipe']],
    ['get_mempolicy', ['mbind', 'set_mempolicy']],
    ['epoll_create1', ['epoll_pwait', 'eventfd2', 'timerfd_settime']],
    ['timer_create', ['timer_settime', 'timer_delete']],
  ])('brings with %s the rest of what it belongs to', (seen, expected) => {
    expect(brought(seen)).toEqual(expect.arrayContaining(expected));
  });

  it('lets no question about a file bring the right to open or change one', () => {
    expect(brought('newfstatat')).not.toContain('openat');
    expect(brought('newfstatat')).not.toContain('unlink');
  });

  it('holds as basic what timing and load decide about', () => {
    const timing = ['futex', 'sched_yield', 'madvise', 'mremap', 'clock_nanosleep', 'tgkill', 'getpid', 'gettid'];
    expect(BASIC_CALLS).toEqual(expect.arrayContaining([...timing, 'dup3', 'pwrite64', 'getdents64', 'fadvise64']));
  });

  it('treats an unknown name as the worst', () => {
    expect(callClass('made_up')).toBe('dangerous');
  });

  it('names what an administrator may allow beyond the default: calls and families, and nothing dangerous', () => {
    expect(beyondDefaultNames(['numa', 'cachestat'])).toEqual([
      ...['cachestat', 'get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
    ]);
    expect(grantedNames('x86_64', ['mbind'])).toEqual([...engineDefaultNames('x86_64'), 'mbind'].sort());
    for (const entry of ['bpf', 'keys', 'made_up', '']) expect(() => beyondDefaultNames([entry])).toThrow(RangeError);
  });
});
