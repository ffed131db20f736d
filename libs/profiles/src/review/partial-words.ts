/** Why a recording is partial, for the person who wonders why nothing was learned from it. */
import { type PartialReason } from '../model/recording.js';

export const PARTIAL_REASON_WORDS: Readonly<Record<PartialReason, string>> = {
  'not-armed-before-start': 'The recorder was not ready before the program started: its first calls may be missing.',
  'never-started': 'The recorder saw no start of the program.',
  'map-failure': 'A table of the recorder was full or refused an entry: counts or calls may be missing.',
  'compat-calls': 'The program made calls of the 32-bit ABI, which are not recorded by name.',
  'x32-calls': 'The program made calls of the x32 ABI, which are not recorded by name.',
  'unknown-calls': 'The program made calls with numbers that this version of Porin has no names for.',
  'io-uring': 'The program set up an io_uring: what it asks for through it makes no system calls.',
  'recursion-misses': 'The kernel skipped the recorder for some events, because it was already running on that CPU.',
  'foreign-processes': 'A process that does not descend from the program ran in its container.',
  overflow: 'There were more distinct arguments, files or sockets than a recording holds.',
  'ring-full': 'Files or sockets came faster than the recorder could take them out of the kernel.',
  'unresolved-paths': 'The paths of some files could not be read.',
  'drain-failed': 'The recorder could not take out all that it had seen.',
  'payload-stopped': 'The program did not end by itself: a signal, a limit or a cancel ended it.',
  'recorder-lost': 'The recorder ended before it could say what it had seen.',
};
