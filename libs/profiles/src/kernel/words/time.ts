/** The kernel's own names for the values of calls about time, waiting for one another, and messages. */
import { type Words } from './words.js';

/** linux/time.h. */
export const CLOCKS: Words = {
  0: 'CLOCK_REALTIME',
  1: 'CLOCK_MONOTONIC',
  2: 'CLOCK_PROCESS_CPUTIME_ID',
  3: 'CLOCK_THREAD_CPUTIME_ID',
  4: 'CLOCK_MONOTONIC_RAW',
  5: 'CLOCK_REALTIME_COARSE',
  6: 'CLOCK_MONOTONIC_COARSE',
  7: 'CLOCK_BOOTTIME',
  8: 'CLOCK_REALTIME_ALARM',
  9: 'CLOCK_BOOTTIME_ALARM',
  11: 'CLOCK_TAI',
};
export const TIMER_FLAGS: Words = { 1: 'TIMER_ABSTIME' };
export const INTERVAL_TIMERS: Words = { 0: 'ITIMER_REAL', 1: 'ITIMER_VIRTUAL', 2: 'ITIMER_PROF' };

/** linux/futex.h: the low seven bits, beside the flags. */
export const FUTEX_OPERATIONS: Words = {
  0: 'FUTEX_WAIT',
  1: 'FUTEX_WAKE',
  3: 'FUTEX_REQUEUE',
  4: 'FUTEX_CMP_REQUEUE',
  5: 'FUTEX_WAKE_OP',
  6: 'FUTEX_LOCK_PI',
  7: 'FUTEX_UNLOCK_PI',
  8: 'FUTEX_TRYLOCK_PI',
  9: 'FUTEX_WAIT_BITSET',
  10: 'FUTEX_WAKE_BITSET',
  11: 'FUTEX_WAIT_REQUEUE_PI',
  12: 'FUTEX_CMP_REQUEUE_PI',
  13: 'FUTEX_LOCK_PI2',
};
export const FUTEX_FLAGS: Words = { 0x80: 'FUTEX_PRIVATE_FLAG', 0x100: 'FUTEX_CLOCK_REALTIME' };

/** linux/membarrier.h. */
export const MEMBARRIER_COMMANDS: Words = {
  0: 'MEMBARRIER_CMD_QUERY',
  1: 'MEMBARRIER_CMD_GLOBAL',
  2: 'MEMBARRIER_CMD_GLOBAL_EXPEDITED',
  4: 'MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED',
  8: 'MEMBARRIER_CMD_PRIVATE_EXPEDITED',
  16: 'MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED',
  32: 'MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE',
  64: 'MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE',
};

/** linux/ipc.h: the low byte, beside IPC_64; each kind of object has more. */
const IPC_COMMANDS: Words = { 0: 'IPC_RMID', 1: 'IPC_SET', 2: 'IPC_STAT', 3: 'IPC_INFO' };
export const IPC_FLAGS: Words = { 0x100: 'IPC_64' };
/** linux/shm.h. */
export const SHARED_MEMORY_COMMANDS: Words = {
  ...IPC_COMMANDS,
  11: 'SHM_LOCK',
  12: 'SHM_UNLOCK',
  13: 'SHM_STAT',
  14: 'SHM_INFO',
  15: 'SHM_STAT_ANY',
};
/** linux/sem.h. */
export const SEMAPHORE_COMMANDS: Words = {
  ...IPC_COMMANDS,
  11: 'GETPID',
  12: 'GETVAL',
  13: 'GETALL',
  14: 'GETNCNT',
  15: 'GETZCNT',
  16: 'SETVAL',
  17: 'SETALL',
  18: 'SEM_STAT',
  19: 'SEM_INFO',
  20: 'SEM_STAT_ANY',
};
/** linux/msg.h. */
export const MESSAGE_QUEUE_COMMANDS: Words = { ...IPC_COMMANDS, 11: 'MSG_STAT', 12: 'MSG_INFO', 13: 'MSG_STAT_ANY' };
