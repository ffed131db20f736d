/** More of everything than a job may have. */
import { type Family } from '../attack.js';

export const RESOURCES: Family = {
  name: 'on resources',
  attacks: [
    {
      name: 'fork-bomb',
      tries: 'forks until it may not',
      learned: { by: 'container', says: { fork: 'EAGAIN', bounded: 'yes' } },
      precise: { by: 'container', says: { fork: 'EAGAIN', bounded: 'yes' } },
      everything: { by: 'container', says: { fork: 'EAGAIN', bounded: 'yes' } },
    },
    {
      name: 'fork-bomb-dies',
      tries: 'the same, and fails',
      learned: {
        by: 'container',
        says: { fork: 'EAGAIN', bounded: 'yes' },
        outcome: { kind: 'exited', exitCode: 9 },
        limitHits: { refusedForks: 1, oomKills: 0 },
      },
      precise: {
        by: 'container',
        says: { fork: 'EAGAIN', bounded: 'yes' },
        outcome: { kind: 'exited', exitCode: 9 },
        limitHits: { refusedForks: 1, oomKills: 0 },
      },
      everything: {
        by: 'container',
        says: { fork: 'EAGAIN', bounded: 'yes' },
        outcome: { kind: 'exited', exitCode: 9 },
        limitHits: { refusedForks: 1, oomKills: 0 },
      },
    },
    {
      name: 'thread-bomb',
      tries: 'starts threads until it may not',
      learned: { by: 'container', says: { thread: 'EAGAIN', bounded: 'yes' } },
      precise: { by: 'container', says: { thread: 'EAGAIN', bounded: 'yes' } },
      everything: { by: 'container', says: { thread: 'EAGAIN', bounded: 'yes' } },
    },
    {
      name: 'memory',
      tries: 'takes a gigabyte of memory',
      learned: { by: 'container', says: { child: 'signal-9' } },
      precise: { by: 'container', says: { child: 'signal-9' } },
      everything: { by: 'container', says: { child: 'signal-9' } },
    },
    {
      name: 'fill-shared',
      tries: 'fills /dev/shm',
      learned: { by: 'container', says: { write: 'ENOSPC', bounded: 'yes' } },
      precise: { by: 'container', says: { write: 'ENOSPC', bounded: 'yes' } },
      everything: { by: 'container', says: { write: 'ENOSPC', bounded: 'yes' } },
    },
    {
      name: 'fill-temporary',
      tries: 'fills /tmp',
      learned: { by: 'container', says: { write: 'ENOSPC', bounded: 'yes' } },
      precise: { by: 'container', says: { write: 'ENOSPC', bounded: 'yes' } },
      everything: { by: 'container', says: { write: 'ENOSPC', bounded: 'yes' } },
    },
    {
      name: 'fill-disk',
      tries: 'fills its disk',
      learned: {
        by: 'container',
        says: { write: 'ENOSPC', bounded: 'yes' },
        outcome: { kind: 'stopped', reason: 'disk-limit' },
      },
      precise: {
        by: 'container',
        says: { write: 'ENOSPC', bounded: 'yes' },
        outcome: { kind: 'stopped', reason: 'disk-limit' },
      },
      everything: {
        by: 'container',
        says: { write: 'ENOSPC', bounded: 'yes' },
        outcome: { kind: 'stopped', reason: 'disk-limit' },
      },
    },
    {
      name: 'many-files',
      tries: "uses up its disk's inodes",
      learned: { by: 'container', says: { create: 'ENOSPC' }, outcome: { kind: 'stopped', reason: 'disk-limit' } },
      precise: { by: 'container', says: { create: 'ENOSPC' }, outcome: { kind: 'stopped', reason: 'disk-limit' } },
      everything: { by: 'container', says: { create: 'ENOSPC' }, outcome: { kind: 'stopped', reason: 'disk-limit' } },
    },
    {
      name: 'descriptors',
      tries: 'opens files until it may not',
      learned: { by: 'container', says: { open: 'EMFILE', bounded: 'yes' } },
      precise: { by: 'container', says: { open: 'EMFILE', bounded: 'yes' } },
      everything: { by: 'container', says: { open: 'EMFILE', bounded: 'yes' } },
    },
    {
      name: 'huge-file',
      tries: 'writes a sparse file of a terabyte',
      learned: { by: 'container', says: { child: 'signal-25' } },
      precise: { by: 'container', says: { child: 'signal-25' } },
      everything: { by: 'container', says: { child: 'signal-25' } },
    },
    {
      name: 'lock-memory',
      tries: 'locks memory',
      learned: { by: 'container', says: { mlock: 'ENOMEM' } },
      precise: { by: 'container', says: { mlock: 'ENOMEM' } },
      everything: { by: 'container', says: { mlock: 'ENOMEM' } },
    },
    {
      name: 'flood-denials',
      tries: 'makes a refused call 20,000 times',
      learned: { by: 'filter', says: { flood: 'ended' }, denials: ['20000 x unshare(CLONE_NEWUSER) EPERM'] },
      precise: { by: 'filter', says: { flood: 'ended' }, denials: ['20000 x unshare(CLONE_NEWUSER) EPERM'] },
      everything: { by: 'ceiling', says: { flood: 'ended' }, denials: ['20000 x unshare(CLONE_NEWUSER) EPERM'] },
    },
  ],
};
