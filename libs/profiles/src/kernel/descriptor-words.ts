/** The kernel's own names for the values of calls on open files and sockets. */
import { type Words } from './argument-words.js';

/** asm-generic/fcntl.h and linux/fcntl.h. */
export const FCNTL_COMMANDS: Words = {
  0: 'F_DUPFD',
  1: 'F_GETFD',
  2: 'F_SETFD',
  3: 'F_GETFL',
  4: 'F_SETFL',
  5: 'F_GETLK',
  6: 'F_SETLK',
  7: 'F_SETLKW',
  8: 'F_SETOWN',
  9: 'F_GETOWN',
  10: 'F_SETSIG',
  11: 'F_GETSIG',
  15: 'F_SETOWN_EX',
  16: 'F_GETOWN_EX',
  36: 'F_OFD_GETLK',
  37: 'F_OFD_SETLK',
  38: 'F_OFD_SETLKW',
  1024: 'F_SETLEASE',
  1025: 'F_GETLEASE',
  1026: 'F_NOTIFY',
  1030: 'F_DUPFD_CLOEXEC',
  1031: 'F_SETPIPE_SZ',
  1032: 'F_GETPIPE_SZ',
  1033: 'F_ADD_SEALS',
  1034: 'F_GET_SEALS',
};

/** asm-generic/ioctls.h and linux/fs.h. */
export const IOCTL_REQUESTS: Words = {
  0x5401: 'TCGETS',
  0x5402: 'TCSETS',
  0x5403: 'TCSETSW',
  0x5404: 'TCSETSF',
  0x540e: 'TIOCSCTTY',
  0x540f: 'TIOCGPGRP',
  0x5410: 'TIOCSPGRP',
  0x5411: 'TIOCOUTQ',
  0x5412: 'TIOCSTI',
  0x5413: 'TIOCGWINSZ',
  0x5414: 'TIOCSWINSZ',
  0x541b: 'FIONREAD',
  0x541c: 'TIOCLINUX',
  0x5421: 'FIONBIO',
  0x5423: 'TIOCSETD',
  0x5429: 'TIOCGSID',
  0x5450: 'FIONCLEX',
  0x5451: 'FIOCLEX',
  0x5452: 'FIOASYNC',
  0x80045430: 'TIOCGPTN',
  0x802c542a: 'TCGETS2',
  0x80086601: 'FS_IOC_GETFLAGS',
  0x80081272: 'BLKGETSIZE64',
  0x40049409: 'FICLONE',
  0x4020940d: 'FICLONERANGE',
};

/** The levels of socket options, linux/socket.h. */
export const SOCKET_LEVELS: Words = {
  0: 'SOL_IP',
  1: 'SOL_SOCKET',
  6: 'SOL_TCP',
  17: 'SOL_UDP',
  41: 'SOL_IPV6',
  263: 'SOL_PACKET',
  270: 'SOL_NETLINK',
  279: 'SOL_ALG',
};

/** Options of SOL_SOCKET, asm-generic/socket.h. */
export const SOCKET_OPTIONS: Words = {
  2: 'SO_REUSEADDR',
  3: 'SO_TYPE',
  4: 'SO_ERROR',
  6: 'SO_BROADCAST',
  7: 'SO_SNDBUF',
  8: 'SO_RCVBUF',
  9: 'SO_KEEPALIVE',
  12: 'SO_PRIORITY',
  13: 'SO_LINGER',
  15: 'SO_REUSEPORT',
  16: 'SO_PASSCRED',
  17: 'SO_PEERCRED',
  20: 'SO_RCVTIMEO',
  21: 'SO_SNDTIMEO',
  25: 'SO_BINDTODEVICE',
  26: 'SO_ATTACH_FILTER',
  30: 'SO_ACCEPTCONN',
  36: 'SO_MARK',
  38: 'SO_PROTOCOL',
  39: 'SO_DOMAIN',
  50: 'SO_ATTACH_BPF',
};

/** linux/fs.h. */
export const WHENCES: Words = { 0: 'SEEK_SET', 1: 'SEEK_CUR', 2: 'SEEK_END', 3: 'SEEK_DATA', 4: 'SEEK_HOLE' };

/** linux/eventpoll.h. */
export const EPOLL_OPERATIONS: Words = { 1: 'EPOLL_CTL_ADD', 2: 'EPOLL_CTL_DEL', 3: 'EPOLL_CTL_MOD' };

/** linux/falloc.h. */
export const FALLOCATE_MODES: Words = {
  0x01: 'FALLOC_FL_KEEP_SIZE',
  0x02: 'FALLOC_FL_PUNCH_HOLE',
  0x08: 'FALLOC_FL_COLLAPSE_RANGE',
  0x10: 'FALLOC_FL_ZERO_RANGE',
  0x20: 'FALLOC_FL_INSERT_RANGE',
  0x40: 'FALLOC_FL_UNSHARE_RANGE',
};

/** linux/fs.h. */
export const RENAME_FLAGS: Words = { 1: 'RENAME_NOREPLACE', 2: 'RENAME_EXCHANGE', 4: 'RENAME_WHITEOUT' };
