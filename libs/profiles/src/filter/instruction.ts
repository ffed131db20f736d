/** One classic-BPF instruction and its wire form (struct sock_filter, linux/filter.h). */

export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** A filter as the kernel takes it: what decides in the kernel, and what porin-init answers to a notification. */
export interface CompiledFilter {
  /** Loaded by porin-init. Returns SECCOMP_RET_ALLOW or SECCOMP_RET_USER_NOTIF. */
  readonly filter: readonly Instruction[];
  /**
   * Interpreted by porin-init over the seccomp_data of every notified call, so that every decision stays in one
   * compiler. Returns SECCOMP_RET_ALLOW (continue the call and report it), SECCOMP_RET_ERRNO | errno (refuse and
   * report) or SECCOMP_RET_KILL_PROCESS (kill the payload and report).
   */
  readonly answer: readonly Instruction[];
}
