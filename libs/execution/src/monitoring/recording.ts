/** From the recorder's facts to a recording: names for numbers, and every reason that makes it partial. */
import {
  PARTIAL_REASONS,
  syscallName,
  type Architecture,
  type Certificate,
  type Monitoring,
  type PartialReason,
  type Recording,
} from '#lib/profiles';
import { argumentUses, fileUses, refusedCalls, socketUses } from './recorded-uses.js';
import { type RecorderDetail } from './recorder-detail.js';
import { type RecorderFacts } from './recorder-line.js';

/** The monitoring words that make a recording; each kind holds the ones before it. */
export const RECORDING_KINDS = ['syscalls', 'arguments', 'files'] as const satisfies readonly Monitoring[];
export type RecordingKind = (typeof RECORDING_KINDS)[number];

export interface RecordingContext {
  readonly kind: RecordingKind;
  readonly architecture: Architecture;
  /** False when the payload was ended by a limit, a cancel, a lost worker or a signal. */
  readonly payloadEndedOnItsOwn: boolean;
}

/** The same number on every architecture: it came after system call numbers were unified (Linux 5.1). */
const IO_URING_SETUP = 425;

export function recordingOf(
  facts: RecorderFacts,
  details: readonly RecorderDetail[],
  context: RecordingContext,
): Recording {
  const calls = namedCalls(facts.calls, context.architecture);
  const refused = refusedCalls(details, context.architecture);
  const files = fileUses(details);
  const sockets = socketUses(details);
  const certificate: Certificate = {
    armedBeforeStart: facts.others === 0,
    started: facts.started === 1,
    cleanDrain: facts.empty === 1,
    payloadEndedOnItsOwn: context.payloadEndedOnItsOwn,
    compatCalls: facts.compat,
    x32Calls: facts.x32,
    unknownCalls: facts.unknown + calls.unnamed,
    ioUringSetups: facts.calls.get(IO_URING_SETUP) ?? 0,
    recursionMisses: facts.misses,
    mapFailures: facts['map-failures'],
    foreignProcesses: facts.foreign,
    supervisorCalls: facts.supervisor + facts['before-start'],
    execs: facts.execs,
    overflows: facts.overflows,
    ...(context.kind === 'files' && {
      ringFailures: facts['ring-failures'],
      unresolvedPaths: facts.unresolved + files.unreadable + sockets.unreadable,
    }),
  };
  return {
    version: 1,
    architecture: context.architecture,
    calls: calls.byName,
    ...(Object.keys(refused).length > 0 && { refused }),
    certificate,
    partialReasons: partialReasons(certificate),
    ...(context.kind !== 'syscalls' && {
      arguments: argumentUses(details, facts.calls, context.architecture),
      peakTasks: facts.tasks,
    }),
    ...(context.kind === 'files' && { files: files.uses, sockets: sockets.uses }),
  };
}

/** Counts by name, sorted, and the count of all calls whose number has none. */
export function namedCalls(
  calls: RecorderFacts['calls'],
  architecture: Architecture,
): { readonly byName: Readonly<Record<string, number>>; readonly unnamed: number } {
  const named = new Map<string, number>();
  let unnamed = 0;
  for (const [number, count] of calls) {
    const name = syscallName(architecture, number);
    if (name === undefined) unnamed += count;
    else named.set(name, count);
  }
  return { byName: Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1))), unnamed };
}

/** The recording of a run whose recorder ended before it could say what it saw: nothing is known, so nothing is certified. */
export function lostRecording(context: Omit<RecordingContext, 'kind'>): Recording {
  return {
    version: 1,
    architecture: context.architecture,
    calls: {},
    certificate: {
      armedBeforeStart: false,
      started: false,
      cleanDrain: false,
      payloadEndedOnItsOwn: context.payloadEndedOnItsOwn,
      compatCalls: 0,
      x32Calls: 0,
      unknownCalls: 0,
      ioUringSetups: 0,
      recursionMisses: 0,
      mapFailures: 0,
      foreignProcesses: 0,
      supervisorCalls: 0,
      execs: 0,
    },
    partialReasons: context.payloadEndedOnItsOwn ? ['recorder-lost'] : ['payload-stopped', 'recorder-lost'],
  };
}

function partialReasons(certificate: Certificate): PartialReason[] {
  const holes: Record<PartialReason, boolean> = {
    'not-armed-before-start': !certificate.armedBeforeStart,
    'never-started': !certificate.started,
    'map-failure': certificate.mapFailures > 0,
    'compat-calls': certificate.compatCalls > 0,
    'x32-calls': certificate.x32Calls > 0,
    'unknown-calls': certificate.unknownCalls > 0,
    'io-uring': certificate.ioUringSetups > 0,
    'recursion-misses': certificate.recursionMisses > 0,
    'foreign-processes': certificate.foreignProcesses > 0,
    overflow: (certificate.overflows ?? 0) > 0,
    'ring-full': (certificate.ringFailures ?? 0) > 0,
    'unresolved-paths': (certificate.unresolvedPaths ?? 0) > 0,
    'drain-failed': !certificate.cleanDrain,
    'payload-stopped': !certificate.payloadEndedOnItsOwn,
    'recorder-lost': false,
  };
  return PARTIAL_REASONS.filter((reason) => holes[reason]);
}
