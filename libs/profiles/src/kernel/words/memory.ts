/** The kernel's own names for the values of calls about memory. */
import { type Words } from './words.js';

/** asm-generic/mman-common.h. */
export const PROTECTIONS: Words = { 1: 'PROT_READ', 2: 'PROT_WRITE', 4: 'PROT_EXEC' };

/** asm-generic/mman-common.h and linux/mman.h: the low four bits, beside the flags that all architectures share. */
export const MAPPINGS: Words = { 1: 'MAP_SHARED', 2: 'MAP_PRIVATE', 3: 'MAP_SHARED_VALIDATE' };
export const MAPPING_FLAGS: Words = {
  0x10: 'MAP_FIXED',
  0x20: 'MAP_ANONYMOUS',
  0x100: 'MAP_GROWSDOWN',
  0x800: 'MAP_DENYWRITE',
  0x2000: 'MAP_LOCKED',
  0x4000: 'MAP_NORESERVE',
  0x8000: 'MAP_POPULATE',
  0x10000: 'MAP_NONBLOCK',
  0x20000: 'MAP_STACK',
  0x40000: 'MAP_HUGETLB',
  0x100000: 'MAP_FIXED_NOREPLACE',
};

/** linux/mman.h. */
export const REMAPPINGS: Words = { 1: 'MREMAP_MAYMOVE', 2: 'MREMAP_FIXED', 4: 'MREMAP_DONTUNMAP' };

/** asm-generic/mman-common.h. */
export const ADVICES: Words = {
  0: 'MADV_NORMAL',
  1: 'MADV_RANDOM',
  2: 'MADV_SEQUENTIAL',
  3: 'MADV_WILLNEED',
  4: 'MADV_DONTNEED',
  8: 'MADV_FREE',
  9: 'MADV_REMOVE',
  10: 'MADV_DONTFORK',
  11: 'MADV_DOFORK',
  12: 'MADV_MERGEABLE',
  13: 'MADV_UNMERGEABLE',
  14: 'MADV_HUGEPAGE',
  15: 'MADV_NOHUGEPAGE',
  16: 'MADV_DONTDUMP',
  17: 'MADV_DODUMP',
  18: 'MADV_WIPEONFORK',
  19: 'MADV_KEEPONFORK',
  20: 'MADV_COLD',
  21: 'MADV_PAGEOUT',
  22: 'MADV_POPULATE_READ',
  23: 'MADV_POPULATE_WRITE',
  24: 'MADV_DONTNEED_LOCKED',
  25: 'MADV_COLLAPSE',
  100: 'MADV_HWPOISON',
  101: 'MADV_SOFT_OFFLINE',
  102: 'MADV_GUARD_INSTALL',
  103: 'MADV_GUARD_REMOVE',
};

/** asm-generic/mman-common.h. */
export const SYNCS: Words = { 1: 'MS_ASYNC', 2: 'MS_INVALIDATE', 4: 'MS_SYNC' };

/** linux/memfd.h. */
export const MEMFD_FLAGS: Words = {
  0x1: 'MFD_CLOEXEC',
  0x2: 'MFD_ALLOW_SEALING',
  0x4: 'MFD_HUGETLB',
  0x8: 'MFD_NOEXEC_SEAL',
  0x10: 'MFD_EXEC',
};

/** linux/mempolicy.h: the policy, beside its flags. */
export const MEMORY_POLICIES: Words = {
  0: 'MPOL_DEFAULT',
  1: 'MPOL_PREFERRED',
  2: 'MPOL_BIND',
  3: 'MPOL_INTERLEAVE',
  4: 'MPOL_LOCAL',
  5: 'MPOL_PREFERRED_MANY',
  6: 'MPOL_WEIGHTED_INTERLEAVE',
};
export const MEMORY_POLICY_FLAGS: Words = {
  0x2000: 'MPOL_F_NUMA_BALANCING',
  0x4000: 'MPOL_F_RELATIVE_NODES',
  0x8000: 'MPOL_F_STATIC_NODES',
};
export const MEMORY_POLICY_QUESTIONS: Words = { 1: 'MPOL_F_NODE', 2: 'MPOL_F_ADDR', 4: 'MPOL_F_MEMS_ALLOWED' };

/** linux/userfaultfd.h and asm-generic/fcntl.h. */
export const USERFAULT_FLAGS: Words = { 1: 'UFFD_USER_MODE_ONLY', 0o4000: 'O_NONBLOCK', 0o2000000: 'O_CLOEXEC' };
