import { expect, it } from 'vitest';
import { nodeArchitecture } from './node-architecture.js';

it('says Node’s names of architectures in the kernel’s, and knows no others', () => {
  expect(['x64', 'arm64'].map(nodeArchitecture)).toEqual(['x86_64', 'aarch64']);
  expect(() => nodeArchitecture('riscv64')).toThrow('no system call table of "riscv64": it runs on x64 and arm64');
});
