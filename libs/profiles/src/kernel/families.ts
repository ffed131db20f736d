/**
 * The one table of what system calls are: family, class, and what each lets a program do. What a profile implies, how the
 * review rates a call, and how a call is described all come from here. Reviewed by hand; FAMILIES_VERSION grows with it.
 */

/** In rising order. See docs/profiles.md. */
export const CALL_CLASSES = [
  /** What any program may do to itself at any moment. Every profile holds these, under FIXED_CONDITIONS. */
  'basic',
  /** No authority beyond calls of the same family that were seen: one of them brings these. */
  'harmless',
  /** Allowed only where it was seen. */
  'authority',
  /** Reaches the kernel's own state, other processes or the node. Never brought, never refused quietly. */
  'dangerous',
] as const;
export type CallClass = (typeof CALL_CLASSES)[number];

export interface CallFacts {
  readonly family: string;
  readonly class: CallClass;
  /** What it lets a program do: a verb and its object, in the third person. */
  readonly does: string;
}

/** Stored beside each learned profile; a newer table proposes a new version and never changes an approved one. */
export const FAMILIES_VERSION = 1;

/** A line without indentation opens a family, with the families that it brings. Then: class, calls, what they do. */
const TABLE = `
memory
  basic      brk                                       grows and shrinks the heap
  basic      mmap,munmap,mremap                        maps, moves and unmaps memory
  basic      mprotect                                  changes what its own memory may be used for
  basic      madvise                                   tells the kernel how it uses its own memory
  basic      msync                                     writes changed mapped pages back to their file
  basic      mincore                                   asks which of its pages are in memory
  basic      mlock,mlock2,munlock,mlockall,munlockall  keeps its own pages in memory, within a limit
  basic      membarrier                                orders memory accesses of its own threads
  authority  remap_file_pages                          maps pages out of order through an interface that is kept for old programs
  dangerous  userfaultfd                               stops the kernel in the middle of a copy, the usual help for race exploits
memory-keys
  harmless   pkey_alloc,pkey_free,pkey_mprotect        protects its own memory by keys
memory-hardening
  harmless   map_shadow_stack                          makes a shadow stack for itself
  harmless   mseal                                     seals its own mappings against changes
memory-files
  authority  memfd_create                              makes files without a name, which can be executed without touching a disk
  authority  memfd_secret                              makes memory that even the kernel does not map
numa
  harmless   get_mempolicy,set_mempolicy,mbind         asks or says on which memory node its own pages should be
  harmless   set_mempolicy_home_node                   says which memory node is its home
  authority  move_pages,migrate_pages                  moves pages between memory nodes, also those of other processes
time
  basic      nanosleep,clock_nanosleep                 sleeps
  basic      clock_gettime,clock_getres,gettimeofday,time  reads clocks
  basic      times                                     asks how much CPU time it used
  basic      getitimer,setitimer,alarm                 has a signal sent to itself later
timers
  authority  timer_create                              makes a timer that sends signals
  harmless   timer_settime,timer_gettime,timer_getoverrun,timer_delete  uses a timer that it made
clocks
  authority  adjtimex,clock_adjtime                    reads, and with a capability sets, how the node's clock runs
  dangerous  settimeofday,clock_settime                sets the node's clock
waiting
  basic      futex,futex_waitv                         waits for its own threads
  basic      poll,ppoll,select,pselect6                waits for what it has open
  basic      pause                                     waits for a signal
  basic      sched_yield                               lets other threads run first
  basic      restart_syscall                           goes on with a call after a signal
  harmless   futex_wait,futex_wake,futex_requeue       waits for its own threads (newer interface)
processes pipes
  basic      clone                                     starts a thread; a process where that was seen
  basic      exit,exit_group                           ends itself
  basic      set_tid_address,set_robust_list,get_robust_list,rseq  tells the kernel where its thread's own data are
  harmless   fork,vfork                                starts a copy of itself
  harmless   wait4                                     waits for its children
  harmless   setpgid,setsid                            groups its own processes
  authority  waitid                                    waits for its children, with a record of kernel faults
  authority  execve                                    starts other programs of the image, a shell among them
  authority  execveat                                  starts programs from an open file, also from one that has no name
  dangerous  clone3                                    makes threads, processes and namespaces, by flags that no filter can read
pipes
  harmless   pipe,pipe2                                makes a pipe
signals
  basic      rt_sigaction,rt_sigprocmask,rt_sigreturn,rt_sigpending,rt_sigsuspend,rt_sigtimedwait  handles its own signals
  basic      sigaltstack                               gives its signal handlers a stack
  basic      tgkill,tkill                              sends signals to its own threads; glibc ends a program so
  authority  kill                                      sends signals to any process of the payload
  authority  rt_sigqueueinfo,rt_tgsigqueueinfo         sends signals with forged senders and data
identity
  basic      getpid,getppid,gettid,getpgid,getpgrp,getsid  asks for the ids of itself and its parent
  basic      getuid,geteuid,getgid,getegid,getresuid,getresgid,getgroups  asks as whom it runs
  basic      capget                                    asks for its capabilities, of which it has none
  basic      uname,sysinfo,getcpu                      asks for facts of the machine
  basic      getrandom                                 gets random numbers
  basic      umask                                     sets the permissions of the files that it makes
  basic      getcwd                                    asks for its working directory
  basic      getrlimit,setrlimit,prlimit64,getrusage   asks for its limits and use, and lowers its limits
  basic      prctl,arch_prctl                          sets properties of itself
user
  authority  setuid,setreuid,setresuid,setfsuid        changes the user
  authority  setgid,setregid,setresgid,setfsgid,setgroups  changes the groups
  authority  capset                                    changes capabilities
  authority  personality                               changes how the kernel runs the program
scheduling
  basic      sched_getaffinity,sched_setaffinity       asks and says on which processors its own threads run
  basic      sched_getparam,sched_getscheduler,sched_get_priority_max,sched_get_priority_min,sched_rr_get_interval,getpriority  asks how it is scheduled
  harmless   sched_setscheduler,sched_setparam,setpriority  changes how it is scheduled, and never to its advantage
  authority  sched_getattr,sched_setattr               asks and says how a process is scheduled, with a record of kernel faults
  authority  ioprio_get,ioprio_set                     asks and says how disks serve a process, with a record of kernel faults
descriptors
  basic      read,readv,pread64,preadv,preadv2         reads what it has open
  basic      write,writev,pwrite64,pwritev,pwritev2    writes to what it has open
  basic      lseek,fadvise64,readahead                 says where and how it reads an open file
  basic      close,close_range,dup,dup2,dup3,fcntl     closes, copies and configures its descriptors
  basic      ioctl                                     configures what it has open
  basic      fstat                                     asks about an open file
  basic      fsync,fdatasync,sync_file_range           has written data put on the disk
  basic      ftruncate,fallocate                       changes the size of a file that it has open for writing
  basic      flock                                     locks a file that it has open
  basic      getdents,getdents64                       reads the list of a directory that it has open
paths
  harmless   stat,lstat,newfstatat,statx,access,faccessat,faccessat2,readlink,readlinkat  asks about files by name
  harmless   statfs,fstatfs                            asks about file systems
  harmless   cachestat                                 asks how much of an open file is in memory
  harmless   chdir,fchdir                              changes its working directory
  harmless   getxattr,lgetxattr,fgetxattr,listxattr,llistxattr,flistxattr,getxattrat,listxattrat,file_getattr  reads extended attributes
  harmless   statmount,listmount                       asks which file systems are mounted in its container
files paths file-changes
  harmless   open,openat,openat2,creat                 opens and makes files, as far as the container and file rules let it
file-changes paths
  harmless   mkdir,mkdirat,rmdir                       makes and removes directories
  harmless   unlink,unlinkat                           removes files
  harmless   rename,renameat,renameat2                 renames files
  harmless   link,linkat,symlink,symlinkat             gives files other names
  harmless   chmod,fchmod,fchmodat,fchmodat2           changes permissions of its own files
  harmless   chown,fchown,lchown,fchownat              changes the group of its own files
  harmless   utime,utimes,utimensat,futimesat          changes times of its own files
  harmless   truncate                                  changes the size of a file
  harmless   copy_file_range,sendfile                  copies between files that it has open
special-files
  authority  mknod,mknodat                             makes FIFOs and sockets, and devices with a capability
  authority  sync,syncfs                               makes the node write whole file systems to disk
  authority  ustat,sysfs                               asks about the node's file systems through old interfaces
  authority  name_to_handle_at                         names files by number
  dangerous  open_by_handle_at                         opens files by number, past every directory that should hide them
  dangerous  lookup_dcookie                            looks paths up for kernel profiling
attributes
  authority  setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,setxattrat,removexattrat  changes extended attributes, with a record of kernel faults
  authority  file_setattr                              changes attributes of file systems
epoll events
  harmless   epoll_create,epoll_create1,epoll_ctl,epoll_wait,epoll_pwait,epoll_pwait2  waits for many descriptors at once
events
  harmless   eventfd,eventfd2                          makes a counter to wait for
  harmless   timerfd_create,timerfd_settime,timerfd_gettime  makes a timer to wait for
  harmless   signalfd,signalfd4                        reads its own signals from a descriptor
splice
  authority  splice,tee                                moves data between pipes without copying, with a record of kernel faults
  authority  vmsplice                                  shares its pages with pipes, with a record of kernel faults
watching
  authority  inotify_init,inotify_init1,inotify_add_watch,inotify_rm_watch  watches files for changes, with a record of kernel faults
  authority  fanotify_mark                             chooses what a watch of file accesses is about
  dangerous  fanotify_init                             watches and holds up the file accesses of others
sockets
  authority  socket                                    opens sockets of any family, which reach whatever the network namespace does
  authority  socketpair                                makes a pair of connected sockets
  authority  connect                                   reaches peers over sockets
  authority  bind                                      offers a service on an address
  authority  listen                                    offers a service
  authority  accept,accept4                            takes connections from others
  authority  sendto,recvfrom                           exchanges data with any address over a socket that it holds
  authority  sendmsg,sendmmsg                          sends to any address, and passes file descriptors to others
  authority  recvmsg,recvmmsg                          takes data and file descriptors from others
  authority  setsockopt                                configures sockets and packet filters, with a long record of kernel faults
  harmless   getsockopt,getsockname,getpeername        asks about a socket that it holds
  harmless   shutdown                                  ends a connection that it holds
system-v
  authority  shmget,shmat,shmdt,shmctl                 shares memory through the kernel
  authority  semget,semop,semtimedop,semctl            shares semaphores through the kernel
  authority  msgget,msgsnd,msgrcv,msgctl               exchanges messages through the kernel
message-queues
  authority  mq_open,mq_unlink,mq_timedsend,mq_timedreceive,mq_notify,mq_getsetattr  exchanges messages through the kernel
asynchronous-io
  authority  io_setup,io_destroy,io_submit,io_cancel,io_getevents,io_pgetevents  makes file operations that are not recorded one by one
  dangerous  io_uring_setup,io_uring_enter,io_uring_register  runs file and network operations that make no system call: neither filtered nor recorded
other-processes
  authority  pidfd_open                                holds on to other processes of the payload
  authority  pidfd_send_signal                         sends signals to other processes of the payload
  authority  process_madvise,process_mrelease          acts on the memory of other processes of the payload
  dangerous  ptrace                                    takes control of other processes of the payload
  dangerous  process_vm_readv                          reads the memory of other processes of the payload
  dangerous  process_vm_writev                         writes the memory of other processes of the payload
  dangerous  pidfd_getfd                               takes file descriptors out of other processes
  dangerous  kcmp                                      compares kernel objects of processes, a help for exploits
self-restriction
  authority  seccomp                                   adds a filter of its own, whose answers Porin does not see
  authority  landlock_create_ruleset,landlock_add_rule,landlock_restrict_self  restricts its own use of files
  harmless   lsm_get_self_attr,lsm_list_modules        asks about its security labels
  authority  lsm_set_self_attr                         changes its security labels
namespaces
  dangerous  unshare                                   makes namespaces: capabilities over kernel code that expects an administrator
  dangerous  setns                                     enters the namespaces of others
  harmless   listns                                    lists its namespaces
mounts
  dangerous  mount                                     changes what the file names of the sandbox mean
  dangerous  umount2                                   uncovers what a mount hides
  dangerous  pivot_root                                changes what the file names of the sandbox mean
  dangerous  chroot                                    leaves a root directory, a known way out when it can be repeated
  dangerous  move_mount,open_tree,open_tree_attr,fspick,fsmount,mount_setattr  mounts by a newer interface
  dangerous  fsopen,fsconfig                           has the kernel parse file system images
keys
  dangerous  keyctl,add_key                            uses kernel key rings, which are shared by all containers of a user
  dangerous  request_key                               uses kernel key rings, and starts a helper program on the node
kernel
  dangerous  bpf                                       loads programs into the kernel, whose verifier is a steady source of privilege escalations
  dangerous  perf_event_open                           reads hardware counters of others and reaches a large, rarely hardened part of the kernel
  dangerous  init_module,finit_module,create_module    loads code into the kernel
  dangerous  delete_module                             takes code out of the kernel
  dangerous  kexec_load,kexec_file_load                replaces the running kernel
  dangerous  uprobe,uretprobe                          enters a kernel probe, for the kernel only
  dangerous  modify_ldt                                makes 16-bit segments for emulators, with a long record of kernel faults
  dangerous  uselib                                    maps libraries through an interface that no program has needed since ELF, and exploits have
  dangerous  nfsservctl                                controls a server in the kernel (removed from Linux)
node
  dangerous  reboot                                    ends the node
  dangerous  iopl,ioperm                               accesses hardware ports
  dangerous  swapon,swapoff                            changes the node's memory
  dangerous  quotactl,quotactl_fd                      changes the quotas of the node's file systems
  dangerous  acct                                      writes accounting records of the whole node
  dangerous  syslog                                    reads the kernel log, with addresses and other tenants' messages
  dangerous  sethostname,setdomainname                 names the node where the UTS namespace is shared
  dangerous  vhangup                                   takes the terminal away from others
unimplemented
  harmless   _sysctl,afs_syscall,epoll_ctl_old,epoll_wait_old,get_kernel_syms,get_thread_area,getpmsg,putpmsg,query_module,security,set_thread_area,tuxcall,vserver  does nothing: the kernel answers that it has no such call
`;

interface Family {
  readonly calls: ReadonlyMap<string, CallFacts>;
  /** Families whose harmless calls one of this family brings too, its own among them. */
  readonly brings: readonly string[];
}

const FAMILIES = parseTable();
const CALLS: ReadonlyMap<string, CallFacts> = new Map([...FAMILIES.values()].flatMap(({ calls }) => [...calls]));

/** Sorted names of every call that the table knows, of both architectures. */
export const KNOWN_CALLS: readonly string[] = [...CALLS.keys()].sort();

/** `callFacts('execve').does` is "starts other programs of the image, a shell among them". Undefined for an unknown name. */
export function callFacts(name: string): CallFacts | undefined {
  return CALLS.get(name);
}

/** Empty for a name that is no family. */
export function familyCalls(family: string): readonly string[] {
  return [...(FAMILIES.get(family)?.calls.keys() ?? [])];
}

/** A name that the table does not know is treated as the worst. */
export function callClass(name: string): CallClass {
  return CALLS.get(name)?.class ?? 'dangerous';
}

/** The calls that every profile holds, sorted. */
export const BASIC_CALLS: readonly string[] = KNOWN_CALLS.filter((name) => callClass(name) === 'basic');

/** The families that come with a call that was seen, its own first. */
export function broughtFamilies(name: string): readonly string[] {
  return FAMILIES.get(CALLS.get(name)?.family ?? '')?.brings ?? [];
}

/** The harmless calls that come with a call that was seen, each with its family. `broughtBy('pipe2')` has "pipe". */
export function broughtBy(name: string): readonly { readonly name: string; readonly family: string }[] {
  return broughtFamilies(name).flatMap((family) =>
    [...(FAMILIES.get(family)?.calls ?? [])]
      .filter(([other, { class: of }]) => of === 'harmless' && other !== name)
      .map(([other]) => ({ name: other, family })),
  );
}

function parseTable(): ReadonlyMap<string, Family> {
  const families = new Map<string, Family & { readonly calls: Map<string, CallFacts> }>();
  let family = '';
  for (const line of TABLE.trim().split('\n')) {
    if (!line.startsWith(' ')) {
      const brings = line.split(' ');
      family = brings[0] ?? '';
      families.set(family, { calls: new Map(), brings });
      continue;
    }
    const [, word, names, does] = /^ +(\w+) +([a-z0-9_,]+) +(\S.*)$/.exec(line) ?? [];
    const of = CALL_CLASSES.find((known) => known === word);
    if (of === undefined || names === undefined || does === undefined) throw new Error(`malformed row "${line}"`);
    for (const name of names.split(',')) families.get(family)?.calls.set(name, { family, class: of, does });
  }
  return families;
}
