/** One payload from the gate to its end, and what its end means. */
import { within } from '#lib/jobs';
import { constants } from 'node:os';
import { type LandlockStatus } from '#lib/profiles';
import { type RunContainer } from './containers/container.js';
import { readLimitHits } from './containers/cgroup.js';
import { temporaryDirectories } from './containers/container-specification.js';
import { isFull } from './containers/disk-space.js';
import { PayloadStop, stopReason } from './containers/payload-stop.js';
import { type DenialList } from './denial-list.js';
import { ExecutionError } from './execution-error.js';
import {
  type Denial,
  type ExecutorOutcome,
  type ExecutorRunRequest,
  type ForeignProgram,
  type LimitHits,
  type PayloadUsage,
  type StopReason,
} from './executor-run.js';
import { isLess } from './landlock-status.js';
import { type PhaseClock } from './phase-clock.js';
import { ControlChannelError, type ControlChannelErrorCode } from './sandbox/control-error.js';
import { type Exited } from './sandbox/control-message.js';
import { type ControlSocket, type FailedStart } from './sandbox/control-socket.js';
import { watchDenials } from './sandbox/denial-watch.js';
import { errnoName } from './sandbox/denials.js';
import { type PayloadEnd } from './sandbox/payload-report.js';

export interface GatedPayload {
  readonly request: ExecutorRunRequest;
  readonly container: RunContainer;
  /** porin-init has accepted the policy. */
  readonly control: ControlSocket;
  readonly clock: PhaseClock;
  readonly stop: AbortSignal;
  /** Rejects when the payload can no longer be followed. */
  readonly broken: Promise<never>;
  readonly onStarted: () => void;
  /** Gets what is denied, when it is. */
  readonly denials: DenialList;
  /** Of the supervisor's trace, where there is one. */
  readonly onTrace?: (text: Buffer) => Promise<void>;
}

export interface PayloadResult {
  readonly outcome: ExecutorOutcome;
  readonly executed: boolean;
  /** False for every end but an exit of the payload's own: a limit, a cancel, any signal, whoever sent it. */
  readonly endedOnItsOwn: boolean;
  readonly usage?: PayloadUsage;
  readonly limitHits?: LimitHits;
  readonly foreignProgram?: ForeignProgram;
  /** The call for which it was stopped, where it was. */
  readonly stoppedBy?: Denial;
  /** Absent where porin-init could not report. */
  readonly foreignCalls?: PayloadEnd['foreignCalls'];
  /** What the kernel holds of the request's file rules; absent where nothing was executed. */
  readonly landlockStatus?: LandlockStatus;
  /** Absent where porin-init could not report. */
  readonly traced?: PayloadEnd['traced'];
}

/** What was seen in the container after its payload's end, while it was still there. */
interface Scene {
  readonly limitHits?: LimitHits;
  readonly diskFull: boolean;
}

const START_TIMEOUT_MS = 60_000;
const NO_MORE_WORDS: readonly ControlChannelErrorCode[] = ['hung-up', 'closed'];
const NOT_EXECUTED = { executed: false, endedOnItsOwn: false } as const;

/** Throws ControlChannelError, ExecutionError. */
export async function runPayload(payload: GatedPayload): Promise<PayloadResult> {
  const { control, clock, stop } = payload;
  if (stop.aborted) {
    control.close();
    return { ...NOT_EXECUTED, outcome: { kind: 'stopped', reason: stopReason(stop) } };
  }
  const start = await within(control.go(), START_TIMEOUT_MS, tooLong);
  if (start.kind === 'failed') return { ...NOT_EXECUTED, outcome: failedOutcome(start), ...programOf(start) };
  clock.enter('payload');
  const payloadStop = new PayloadStop(payload.request, control, payload.container, stop);
  try {
    requireLandlock(payload.request, start.landlockStatus);
    payload.onStarted();
    const result = await followToEnd(payload, payloadStop);
    const { cause } = payloadStop;
    return { ...result, landlockStatus: start.landlockStatus, ...(cause && { stoppedBy: cause.counted }) };
  } finally {
    payloadStop.end();
  }
}

async function followToEnd(payload: GatedPayload, stop: PayloadStop): Promise<PayloadResult> {
  const { control, clock, broken, request } = payload;
  let scene: Scene = { diskFull: false };
  const finished = control.finished(payload.denials, {
    ...(payload.onTrace && { onTrace: payload.onTrace }),
    ...(request.denialStops && watchDenials(request.denialStops, (reason, cause) => stop.denied(reason, cause))),
    onExited: async (exited) => {
      clock.enter('remove');
      stop.end();
      if (!isSuccess(exited)) scene = await lookAround(payload);
    },
  });
  try {
    const end = await Promise.race([finished, broken]);
    const { exited, foreignCalls, traced } = end;
    const outcome = outcomeOf(exited, stop.reason, scene);
    return {
      outcome,
      executed: true,
      endedOnItsOwn: outcome.kind === 'exited',
      usage: usageOf(exited),
      ...(scene.limitHits && { limitHits: scene.limitHits }),
      foreignCalls,
      ...programOf(end),
      ...(traced && { traced }),
    };
  } catch (error) {
    clock.enter('remove');
    const outcome = await outcomeWithoutReport(error, payload.container, stop.reason);
    return { outcome, executed: true, endedOnItsOwn: false };
  }
}

/** The ABI promised this level: stop if the kernel enforces less. */
function requireLandlock({ landlock, landlockMinimum }: ExecutorRunRequest, status: LandlockStatus): void {
  if (landlock === undefined || landlockMinimum === undefined || !isLess(status, landlockMinimum)) return;
  throw new ExecutionError(
    'landlock-unavailable',
    `The profile requires ${landlockMinimum}, but the kernel enforced only ${status}.`,
  );
}

async function lookAround({ request, container }: GatedPayload): Promise<Scene> {
  const pid = await container.pid();
  const places = temporaryDirectories(request).map((path) => `/proc/${pid}/root${path}`);
  const [limitHits, ...full] = await Promise.all([
    readLimitHits(pid),
    ...[request.scratchDirectory, ...places].map((path) => isFull(path)),
  ]);
  return { ...(limitHits && { limitHits }), diskFull: full.includes(true) };
}

function outcomeOf({ end }: Exited, stopped: StopReason | undefined, scene: Scene): ExecutorOutcome {
  if (stopped !== undefined) return { kind: 'stopped', reason: stopped };
  const signal = 'signal' in end ? end.signal : undefined;
  const oomKilled = signal === constants.signals.SIGKILL && (scene.limitHits?.oomKills ?? 0) > 0;
  if (signal === constants.signals.SIGXFSZ || (scene.diskFull && !oomKilled)) {
    return { kind: 'stopped', reason: 'disk-limit' };
  }
  return 'signal' in end
    ? { kind: 'signaled', signal: end.signal, oomKilled }
    : { kind: 'exited', exitCode: end.exitCode };
}

/**
 * porin-init is gone without its report: because it had to be killed with its container, or because the kernel chose it
 * when memory ran out.
 */
async function outcomeWithoutReport(
  error: unknown,
  container: RunContainer,
  stopped: StopReason | undefined,
): Promise<ExecutorOutcome> {
  if (!(error instanceof ControlChannelError) || !NO_MORE_WORDS.includes(error.code)) throw error;
  if (stopped !== undefined) return { kind: 'stopped', reason: stopped };
  await container.exited();
  if (!(await container.oomKilled())) throw error;
  return { kind: 'signaled', signal: constants.signals.SIGKILL, oomKilled: true };
}

function failedOutcome({ stage, errno }: FailedStart): ExecutorOutcome {
  const name = errnoName(errno);
  switch (stage) {
    case 'directory':
    case 'stdin':
    case 'lookup':
    case 'exec':
      return { kind: 'exec-failed', stage, errno: name };
    case 'rlimit':
      throw new ExecutionError('engine-error', `The engine allows the container less than its limits say (${name}).`);
    case 'policy':
    case 'go':
    case 'supervisor':
    case 'session':
    case 'landlock':
    case 'filter':
      throw new ExecutionError('control-channel', `porin-init failed at the stage "${stage}" with ${name}.`);
  }
}

function programOf({ foreignProgram }: FailedStart | PayloadEnd): Pick<PayloadResult, 'foreignProgram'> {
  return foreignProgram ? { foreignProgram } : {};
}

function isSuccess({ end }: Exited): boolean {
  return 'exitCode' in end && end.exitCode === 0;
}

function usageOf(exited: Exited): PayloadUsage {
  const { wallUs, userUs, systemUs, maxRssKib, voluntarySwitches, involuntarySwitches } = exited;
  return { wallUs, userUs, systemUs, maxRssBytes: maxRssKib * 1024, voluntarySwitches, involuntarySwitches };
}

function tooLong(): Error {
  return new ExecutionError('control-channel', `porin-init did not start within ${START_TIMEOUT_MS / 1000} s.`);
}
