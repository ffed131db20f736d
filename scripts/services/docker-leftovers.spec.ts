import { describe, expect, it } from 'vitest';
import { leftProcesses } from './docker-leftovers.js';

const run = '/run/porin-01234567-test';
const process = (pid: number, parent: number, ...words: string[]) => ({
  pid,
  parent,
  commandLine: words.map((word) => `${word}\0`).join(''),
});

describe('what a killed engine leaves behind', () => {
  it('is its containerd, its shims, and all that runs below them', () => {
    const processes = [
      process(10, 1, 'containerd', '--config', `${run}/exec/containerd/containerd.toml`),
      process(11, 1, '/usr/bin/containerd-shim-runc-v2', '-address', `${run}/exec/containerd/containerd.sock`),
      process(12, 11, '/porin-init'),
      process(13, 12, 'python3', 'normalize.py'),
    ];
    expect(leftProcesses(processes, run)).toEqual([10, 11, 12, 13]);
  });

  it('is nothing of another engine, and no other program that names our files', () => {
    const processes = [
      process(20, 1, 'containerd', '--config', '/run/porin-01234567-stack/exec/containerd/containerd.toml'),
      process(21, 20, 'payload'),
      process(22, 1, 'tail', '-f', `${run}/exec/containerd/log`),
      process(23, 1, 'vim', 'containerd', `${run}/exec/containerd/containerd.toml`),
    ];
    expect(leftProcesses(processes, run)).toEqual([]);
  });
});
