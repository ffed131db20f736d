/** Files of the inputs, the image, the kernel and the outputs. */
import { type Family } from '../attack.js';

export const FILES: Family = {
  name: 'on files',
  attacks: [
    {
      name: 'write-inputs',
      tries: 'changes the inputs',
      learned: { by: 'container', says: { write: 'EACCES', truncate: 'EROFS', create: 'EROFS' } },
      precise: { by: 'container', says: { write: 'EACCES', truncate: 'EROFS', create: 'EROFS' } },
      everything: { by: 'container', says: { write: 'EACCES', truncate: 'EROFS', create: 'EROFS' } },
    },
    {
      name: 'write-image',
      tries: 'changes the image',
      learned: { by: 'container', says: { 'replace-program': 'EACCES', create: 'EACCES', user: 'EACCES' } },
      precise: { by: 'container', says: { 'replace-program': 'EACCES', create: 'EACCES', user: 'EACCES' } },
      everything: { by: 'container', says: { 'replace-program': 'EACCES', create: 'EACCES', user: 'EACCES' } },
    },
    {
      name: 'kernel-settings',
      tries: 'changes settings of the kernel',
      learned: {
        by: 'container',
        says: {
          core_pattern: 'EACCES',
          modprobe: 'ENOENT|EACCES',
          sysrq: 'ENOENT|EACCES',
          uevent_helper: 'ENOENT|EACCES',
          uid_map: 'EACCES',
        },
      },
      precise: {
        by: 'container',
        says: {
          core_pattern: 'EACCES',
          modprobe: 'ENOENT|EACCES',
          sysrq: 'ENOENT|EACCES',
          uevent_helper: 'ENOENT|EACCES',
          uid_map: 'EACCES',
        },
      },
      everything: {
        by: 'container',
        says: {
          core_pattern: 'EACCES',
          modprobe: 'ENOENT|EACCES',
          sysrq: 'ENOENT|EACCES',
          uevent_helper: 'ENOENT|EACCES',
          uid_map: 'EACCES',
        },
      },
    },
    {
      name: 'devices',
      tries: 'opens devices of the node',
      learned: {
        by: 'container',
        says: { mem: 'ENOENT', kmsg: 'ENOENT', disk: 'ENOENT', fuse: 'ENOENT', kvm: 'ENOENT' },
      },
      precise: {
        by: 'container',
        says: { mem: 'ENOENT', kmsg: 'ENOENT', disk: 'ENOENT', fuse: 'ENOENT', kvm: 'ENOENT' },
      },
      everything: {
        by: 'container',
        says: { mem: 'ENOENT', kmsg: 'ENOENT', disk: 'ENOENT', fuse: 'ENOENT', kvm: 'ENOENT' },
      },
    },
    {
      name: 'climb',
      tries: 'climbs above its root',
      learned: { by: 'container', says: { dots: 'EACCES', descriptor: 'ENOTDIR', 'self-root': 'EACCES' } },
      precise: { by: 'container', says: { dots: 'EACCES', descriptor: 'ENOTDIR', 'self-root': 'EACCES' } },
      everything: { by: 'container', says: { dots: 'EACCES', descriptor: 'ENOTDIR', 'self-root': 'EACCES' } },
    },
    {
      name: 'core-dump',
      tries: 'raises its core limit and crashes beside its outputs',
      learned: { by: 'container', says: { limit: 'EPERM', crash: 'signal-11' } },
      precise: { by: 'container', says: { limit: 'EPERM', crash: 'signal-11' } },
      everything: { by: 'container', says: { limit: 'EPERM', crash: 'signal-11' } },
    },
    {
      name: 'output-links',
      tries: 'puts links, a pipe and a set-user-id program among the outputs',
      learned: {
        by: 'filter',
        says: { symlink: 'ok', directory: 'ok', 'hard-link': 'EXDEV', pipe: 'ENOSYS', 'set-user-id': 'ok' },
        denials: ['1 x mknodat("/out/pipe", S_IFIFO|0600) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { symlink: 'ok', directory: 'ok', 'hard-link': 'EXDEV|EACCES', pipe: 'ENOSYS', 'set-user-id': 'ok' },
        denials: ['1 x mknodat("/out/pipe", S_IFIFO|0600) ENOSYS'],
      },
      everything: {
        by: 'container',
        says: { symlink: 'ok', directory: 'ok', 'hard-link': 'EXDEV', pipe: 'ok', 'set-user-id': 'ok' },
      },
    },
    {
      name: 'output-race',
      tries: 'goes on replacing an output by a link after its end',
      learned: { by: 'container', says: { fork: 'ok', symlink: 'ok' } },
      precise: { by: 'container', says: { fork: 'ok', symlink: 'ok' } },
      everything: { by: 'container', says: { fork: 'ok', symlink: 'ok' } },
    },
    {
      name: 'read-through',
      tries: 'reads /etc/passwd through a link, a descriptor and a directory',
      learned: {
        by: 'nothing',
        says: { link: 'ok', 'through-link': 'ok', 'through-descriptor': 'ok', 'through-directory': 'ok' },
      },
      precise: {
        by: 'landlock',
        says: { link: 'ok', 'through-link': 'EACCES', 'through-descriptor': 'EACCES', 'through-directory': 'EACCES' },
      },
      everything: {
        by: 'nothing',
        says: { link: 'ok', 'through-link': 'ok', 'through-descriptor': 'ok', 'through-directory': 'ok' },
      },
    },
  ],
};
