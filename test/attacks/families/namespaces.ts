/** Ways out of a container: namespaces, mounts, roots, device nodes. */
import { type Family } from '../attack.js';

export const NAMESPACES: Family = {
  name: 'out of the container',
  attacks: [
    {
      name: 'unshare-user',
      tries: 'makes a user namespace in which it is root',
      learned: { by: 'filter', says: { unshare: 'EPERM' }, denials: ['1 x unshare(CLONE_NEWUSER) EPERM'] },
      precise: { by: 'filter', says: { unshare: 'EPERM' }, denials: ['1 x unshare(CLONE_NEWUSER) EPERM'] },
      everything: { by: 'ceiling', says: { unshare: 'EPERM' }, denials: ['1 x unshare(CLONE_NEWUSER) EPERM'] },
    },
    {
      name: 'unshare-each',
      tries: 'makes each other kind of namespace',
      learned: {
        by: 'filter',
        says: { mount: 'EPERM', network: 'EPERM', pid: 'EPERM', ipc: 'EPERM', uts: 'EPERM', cgroup: 'EPERM' },
        denials: [
          '1 x unshare(CLONE_NEWCGROUP) EPERM',
          '1 x unshare(CLONE_NEWIPC) EPERM',
          '1 x unshare(CLONE_NEWNET) EPERM',
          '1 x unshare(CLONE_NEWNS) EPERM',
          '1 x unshare(CLONE_NEWPID) EPERM',
          '1 x unshare(CLONE_NEWUTS) EPERM',
        ],
      },
      precise: {
        by: 'filter',
        says: { mount: 'EPERM', network: 'EPERM', pid: 'EPERM', ipc: 'EPERM', uts: 'EPERM', cgroup: 'EPERM' },
        denials: [
          '1 x unshare(CLONE_NEWCGROUP) EPERM',
          '1 x unshare(CLONE_NEWIPC) EPERM',
          '1 x unshare(CLONE_NEWNET) EPERM',
          '1 x unshare(CLONE_NEWNS) EPERM',
          '1 x unshare(CLONE_NEWPID) EPERM',
          '1 x unshare(CLONE_NEWUTS) EPERM',
        ],
      },
      everything: {
        by: 'ceiling',
        says: { mount: 'EPERM', network: 'EPERM', pid: 'EPERM', ipc: 'EPERM', uts: 'EPERM', cgroup: 'EPERM' },
        denials: [
          '1 x unshare(CLONE_NEWCGROUP) EPERM',
          '1 x unshare(CLONE_NEWIPC) EPERM',
          '1 x unshare(CLONE_NEWNET) EPERM',
          '1 x unshare(CLONE_NEWNS) EPERM',
          '1 x unshare(CLONE_NEWPID) EPERM',
          '1 x unshare(CLONE_NEWUTS) EPERM',
        ],
      },
    },
    {
      name: 'setns',
      tries: 'enters the namespaces of porin-init, and its own again',
      learned: {
        by: 'filter',
        says: { 'open-init': 'EACCES', setns: 'EPERM' },
        denials: ['1 x setns(CLONE_NEWNET) EPERM'],
      },
      precise: {
        by: 'filter',
        says: { 'open-init': 'EACCES', setns: 'EPERM' },
        denials: ['1 x setns(CLONE_NEWNET) EPERM'],
      },
      everything: {
        by: 'ceiling',
        says: { 'open-init': 'EACCES', setns: 'EPERM' },
        denials: ['1 x setns(CLONE_NEWNET) EPERM'],
      },
    },
    {
      name: 'clone-namespaces',
      tries: 'makes processes in new namespaces',
      learned: { by: 'engine', says: { user: 'EPERM', pid: 'EPERM' } },
      precise: { by: 'engine', says: { user: 'EPERM', pid: 'EPERM' } },
      everything: { by: 'engine', says: { user: 'EPERM', pid: 'EPERM' } },
    },
    {
      name: 'clone3-namespaces',
      tries: 'the same by clone3, whose flags are in memory',
      learned: { by: 'engine', says: { clone3: 'ENOSYS' } },
      precise: { by: 'engine', says: { clone3: 'ENOSYS' } },
      everything: { by: 'engine', says: { clone3: 'ENOSYS' } },
    },
    {
      name: 'mount',
      tries: 'mounts, remounts and unmounts',
      learned: {
        by: 'filter',
        says: { mount: 'EPERM', remount: 'EPERM', umount2: 'EPERM' },
        denials: [
          '1 x mount("none", "/", MS_REMOUNT|MS_BIND) EPERM',
          '1 x mount("none", "/tmp", MS_NOSUID) EPERM',
          '1 x umount2("/proc/kcore", MNT_DETACH) EPERM',
        ],
      },
      precise: {
        by: 'filter',
        says: { mount: 'EPERM', remount: 'EPERM', umount2: 'EPERM' },
        denials: [
          '1 x mount("none", "/", MS_REMOUNT|MS_BIND) EPERM',
          '1 x mount("none", "/tmp", MS_NOSUID) EPERM',
          '1 x umount2("/proc/kcore", MNT_DETACH) EPERM',
        ],
      },
      everything: {
        by: 'ceiling',
        says: { mount: 'EPERM', remount: 'EPERM', umount2: 'EPERM' },
        denials: [
          '1 x mount("none", "/", MS_REMOUNT|MS_BIND) EPERM',
          '1 x mount("none", "/tmp", MS_NOSUID) EPERM',
          '1 x umount2("/proc/kcore", MNT_DETACH) EPERM',
        ],
      },
    },
    {
      name: 'mount-new',
      tries: 'the same by the newer calls',
      learned: {
        by: 'filter',
        says: { fsopen: 'EPERM', open_tree: 'EPERM', move_mount: 'EPERM', mount_setattr: 'EPERM' },
        denials: [
          '1 x fsopen() EPERM',
          '1 x mount_setattr() EPERM',
          '1 x move_mount("", "/tmp", MOVE_MOUNT_F_EMPTY_PATH) EPERM',
          '1 x open_tree("/", OPEN_TREE_CLONE) EPERM',
        ],
      },
      precise: {
        by: 'filter',
        says: { fsopen: 'EPERM', open_tree: 'EPERM', move_mount: 'EPERM', mount_setattr: 'EPERM' },
        denials: [
          '1 x fsopen() EPERM',
          '1 x mount_setattr() EPERM',
          '1 x move_mount("", "/tmp", MOVE_MOUNT_F_EMPTY_PATH) EPERM',
          '1 x open_tree("/", OPEN_TREE_CLONE) EPERM',
        ],
      },
      everything: {
        by: 'ceiling',
        says: { fsopen: 'EPERM', open_tree: 'EPERM', move_mount: 'EPERM', mount_setattr: 'EPERM' },
        denials: [
          '1 x fsopen() EPERM',
          '1 x mount_setattr() EPERM',
          '1 x move_mount("", "/tmp", MOVE_MOUNT_F_EMPTY_PATH) EPERM',
          '1 x open_tree("/", OPEN_TREE_CLONE) EPERM',
        ],
      },
    },
    {
      name: 'pivot-root',
      tries: 'changes the root mount',
      learned: { by: 'filter', says: { pivot_root: 'EPERM' }, denials: ['1 x pivot_root("/tmp", "/tmp") EPERM'] },
      precise: { by: 'filter', says: { pivot_root: 'EPERM' }, denials: ['1 x pivot_root("/tmp", "/tmp") EPERM'] },
      everything: { by: 'ceiling', says: { pivot_root: 'EPERM' }, denials: ['1 x pivot_root("/tmp", "/tmp") EPERM'] },
    },
    {
      name: 'chroot',
      tries: 'changes its root directory, to climb out of it',
      learned: { by: 'filter', says: { chroot: 'EPERM' }, denials: ['1 x chroot("/tmp") EPERM'] },
      precise: { by: 'filter', says: { chroot: 'EPERM' }, denials: ['1 x chroot("/tmp") EPERM'] },
      everything: { by: 'ceiling', says: { chroot: 'EPERM' }, denials: ['1 x chroot("/tmp") EPERM'] },
    },
    {
      name: 'open-by-handle',
      tries: "opens the host's root by a guessed file handle",
      learned: {
        by: 'filter',
        says: { name_to_handle_at: 'EPERM', open_by_handle_at: 'EPERM' },
        denials: ['1 x name_to_handle_at("/") EPERM', '1 x open_by_handle_at() EPERM'],
      },
      precise: {
        by: 'filter',
        says: { name_to_handle_at: 'EPERM', open_by_handle_at: 'EPERM' },
        denials: ['1 x name_to_handle_at("/") EPERM', '1 x open_by_handle_at() EPERM'],
      },
      everything: {
        by: 'ceiling',
        says: { name_to_handle_at: 'EPERM', open_by_handle_at: 'EPERM' },
        denials: ['1 x name_to_handle_at("/") EPERM', '1 x open_by_handle_at() EPERM'],
      },
    },
    {
      name: 'mknod',
      tries: 'makes device nodes of the disk and of kernel memory',
      learned: {
        by: 'filter',
        says: { block: 'ENOSYS', 'kernel-memory': 'ENOSYS' },
        denials: ['1 x mknodat("/out/mem", S_IFCHR|0600) ENOSYS', '1 x mknodat("/tmp/disk", S_IFBLK|0600) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { block: 'ENOSYS', 'kernel-memory': 'ENOSYS' },
        denials: ['1 x mknodat("/out/mem", S_IFCHR|0600) ENOSYS', '1 x mknodat("/tmp/disk", S_IFBLK|0600) ENOSYS'],
      },
      everything: { by: 'container', says: { block: 'EPERM', 'kernel-memory': 'EPERM' } },
    },
    {
      name: 'host-paths',
      tries: "opens the engine's socket, and other processes' files",
      learned: {
        by: 'container',
        says: { engine: 'ENOENT', 'init-root': 'EACCES', 'cgroup-release': 'ENOENT|EACCES', 'other-process': 'ENOENT' },
      },
      precise: {
        by: 'container',
        says: { engine: 'ENOENT', 'init-root': 'EACCES', 'cgroup-release': 'ENOENT|EACCES', 'other-process': 'ENOENT' },
      },
      everything: {
        by: 'container',
        says: { engine: 'ENOENT', 'init-root': 'EACCES', 'cgroup-release': 'ENOENT|EACCES', 'other-process': 'ENOENT' },
      },
    },
  ],
};
