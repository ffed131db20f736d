/** From an attempt's limits to the rlimits of its payload, as a policy and as the engine write them. */
import { type RunLimits } from '../executor-run.js';
import { type Rlimit, type RlimitName } from '../sandbox/policy-text.js';

const MIB = 1024 * 1024;

/** porin-init, which is not the payload's. */
export const INIT_PROCESSES = 1;
/**
 * The cgroup must be what a fork meets first: only it counts its refusals. RLIMIT_NPROC holds where there is no pids
 * controller.
 */
const NPROC_MARGIN = 16;

/** Processes and threads that the container's cgroup may have. */
export function containerPidsLimit(limits: RunLimits): number {
  return limits.pids + INIT_PROCESSES;
}

export function payloadRlimits(limits: RunLimits): Readonly<Partial<Record<RlimitName, Rlimit>>> {
  return {
    CORE: both(0),
    NPROC: both(containerPidsLimit(limits) + NPROC_MARGIN),
    // select(2) fails beyond 1024; programs that need more raise their soft limit. An engine without CAP_SYS_RESOURCE gives
    // no hard limit above its own.
    NOFILE: { soft: 1024, hard: 16_384 },
    // Beyond what Scratch.create makes room for: a payload meets the end of its disk as ENOSPC, not as SIGXFSZ.
    FSIZE: both(Math.ceil(limits.diskBytes * 1.25) + 64 * MIB),
    STACK: { soft: 8 * MIB, hard: 'unlimited' },
    MEMLOCK: both(8 * MIB),
  };
}

/** Explicit ones, so that no default of the engine's decides, nor is lower than what the policy sets. */
export function engineUlimits(rlimits: ReturnType<typeof payloadRlimits>) {
  return Object.entries(rlimits).map(([name, { soft, hard }]) => ({
    Name: name.toLowerCase(),
    Soft: engineValue(soft),
    Hard: engineValue(hard),
  }));
}

function both(value: number): Rlimit {
  return { soft: value, hard: value };
}

function engineValue(value: Rlimit['soft']): number {
  return value === 'unlimited' ? -1 : value;
}
