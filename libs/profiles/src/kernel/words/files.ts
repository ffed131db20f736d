/** The kernel's own names for the values of calls on files and descriptors. */
import { type Words } from './words.js';

/** asm-generic/fcntl.h: the low two bits. */
export const ACCESS_MODES: Words = { 0: 'O_RDONLY', 1: 'O_WRONLY', 2: 'O_RDWR' };
/** Beside the access mode; those whose value all architectures share. */
export const OPEN_FLAGS: Words = {
  0o100: 'O_CREAT',
  0o200: 'O_EXCL',
  0o400: 'O_NOCTTY',
  0o1000: 'O_TRUNC',
  0o2000: 'O_APPEND',
  0o4000: 'O_NONBLOCK',
  0o2000000: 'O_CLOEXEC',
  0o10000000: 'O_PATH',
};
/** What descriptors are made with. */
export const DESCRIPTOR_FLAGS: Words = { 0o4000: 'O_NONBLOCK', 0o2000000: 'O_CLOEXEC' };

/** linux/stat.h: the bits of a mode that say what a file is. */
export const FILE_TYPES: Words = {
  0o10000: 'S_IFIFO',
  0o20000: 'S_IFCHR',
  0o40000: 'S_IFDIR',
  0o60000: 'S_IFBLK',
  0o100000: 'S_IFREG',
  0o120000: 'S_IFLNK',
  0o140000: 'S_IFSOCK',
};

/** linux/fcntl.h; other calls give other names to some of these bits. */
export const AT_FLAGS: Words = {
  0x100: 'AT_SYMLINK_NOFOLLOW',
  0x400: 'AT_SYMLINK_FOLLOW',
  0x800: 'AT_NO_AUTOMOUNT',
  0x1000: 'AT_EMPTY_PATH',
};
export const UNLINK_FLAGS: Words = { 0x200: 'AT_REMOVEDIR' };
export const ACCESS_FLAGS: Words = { ...AT_FLAGS, 0x200: 'AT_EACCESS' };
/** unistd.h; none of them asks whether the file is there (F_OK). */
export const ACCESSES: Words = { 1: 'X_OK', 2: 'W_OK', 4: 'R_OK' };

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

/** linux/fs.h. */
export const WHENCES: Words = { 0: 'SEEK_SET', 1: 'SEEK_CUR', 2: 'SEEK_END', 3: 'SEEK_DATA', 4: 'SEEK_HOLE' };

/** asm-generic/fcntl.h. */
export const LOCKS: Words = { 1: 'LOCK_SH', 2: 'LOCK_EX', 4: 'LOCK_NB', 8: 'LOCK_UN' };

/** linux/fadvise.h. */
export const FILE_ADVICES: Words = {
  0: 'POSIX_FADV_NORMAL',
  1: 'POSIX_FADV_RANDOM',
  2: 'POSIX_FADV_SEQUENTIAL',
  3: 'POSIX_FADV_WILLNEED',
  4: 'POSIX_FADV_DONTNEED',
  5: 'POSIX_FADV_NOREUSE',
};

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

/** linux/eventpoll.h. */
export const EPOLL_OPERATIONS: Words = { 1: 'EPOLL_CTL_ADD', 2: 'EPOLL_CTL_DEL', 3: 'EPOLL_CTL_MOD' };

/** linux/mount.h. */
export const MOUNT_FLAGS: Words = {
  0x1: 'MS_RDONLY',
  0x2: 'MS_NOSUID',
  0x4: 'MS_NODEV',
  0x8: 'MS_NOEXEC',
  0x20: 'MS_REMOUNT',
  0x1000: 'MS_BIND',
  0x2000: 'MS_MOVE',
  0x4000: 'MS_REC',
  0x20000: 'MS_UNBINDABLE',
  0x40000: 'MS_PRIVATE',
  0x80000: 'MS_SLAVE',
  0x100000: 'MS_SHARED',
};
/** linux/fs.h. */
export const UNMOUNT_FLAGS: Words = { 1: 'MNT_FORCE', 2: 'MNT_DETACH', 4: 'MNT_EXPIRE', 8: 'UMOUNT_NOFOLLOW' };
/** linux/mount.h. */
export const OPEN_TREE_FLAGS: Words = {
  ...AT_FLAGS,
  0x1: 'OPEN_TREE_CLONE',
  0x8000: 'AT_RECURSIVE',
  0o2000000: 'OPEN_TREE_CLOEXEC',
};
export const MOVE_MOUNT_FLAGS: Words = {
  0x01: 'MOVE_MOUNT_F_SYMLINKS',
  0x02: 'MOVE_MOUNT_F_AUTOMOUNTS',
  0x04: 'MOVE_MOUNT_F_EMPTY_PATH',
  0x10: 'MOVE_MOUNT_T_SYMLINKS',
  0x20: 'MOVE_MOUNT_T_AUTOMOUNTS',
  0x40: 'MOVE_MOUNT_T_EMPTY_PATH',
  0x100: 'MOVE_MOUNT_SET_GROUP',
  0x200: 'MOVE_MOUNT_BENEATH',
};
