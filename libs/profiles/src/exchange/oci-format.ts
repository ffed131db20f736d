/** The seccomp JSON of the OCI runtime specification (config-linux.md, "Seccomp"), as an export writes it. */
import { type Architecture } from '../model/profile.js';
import { type OciArgument } from './oci-arguments.js';

export interface OciSeccomp {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly OciSyscall[];
}

export interface OciSyscall {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  /** All must hold. */
  readonly args?: readonly OciArgument[];
  /** For people; engines pass over it. */
  readonly comment?: string;
}

export const OCI_ARCHITECTURE: Readonly<Record<Architecture, string>> = {
  x86_64: 'SCMP_ARCH_X86_64',
  aarch64: 'SCMP_ARCH_AARCH64',
};
