/**
 * Runs one payload in one container: the only way a payload is started.
 *
 * listen -> create -> attach -> start -> hello -> observe -> policy -> ready -> go -> started or failed -> denials ->
 * exited -> container ended -> recording -> removed
 */
import { within } from '#lib/jobs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isTrace, nodeArchitecture } from '#lib/profiles';
import { RunContainer } from './containers/container.js';
import {
  containerSpecification,
  type ContainerSpecification,
  impossibleMount,
} from './containers/container-specification.js';
import { LogCapture } from './containers/log-capture.js';
import { payloadPolicy } from './containers/payload-policy.js';
import { DenialList } from './denial-list.js';
import { type Engine } from './engine/engine.js';
import { ExecutionError, toExecutionError } from './execution-error.js';
import {
  type ExecutorOutcome,
  type ExecutorRunReport,
  type ExecutorRunRequest,
  type LogSink,
  type OutputSink,
} from './executor-run.js';
import { imageConfiguration } from './images/image-configuration.js';
import { isLess, landlockStatusAt } from './landlock-status.js';
import { Observation } from './monitoring/observation.js';
import { type Recorder } from './monitoring/recorder.js';
import { PhaseClock } from './phase-clock.js';
import { type PayloadResult, runPayload } from './run-payload.js';
import { ControlSocket } from './sandbox/control-socket.js';
import { PolicyError, renderPolicy } from './sandbox/policy-text.js';

export interface ExecutorContext {
  readonly engine: Engine;
  /** Host path of porin-init. */
  readonly initPath: string;
  /** Short host directory for control sockets; made, with mode 0700, where it does not exist. */
  readonly runDirectory: string;
  /** Needed when the level's monitoring makes a recording. */
  readonly recorder: Recorder | undefined;
  /** Aborted with a StopReason as its reason: ends the payload, and the report still comes. */
  readonly stop: AbortSignal;
  /** Gets at most `limits.logBytes` of each stream. Must not throw. */
  readonly onLog: LogSink;
  /** Gets all of both streams. */
  readonly onOutput?: OutputSink;
  /** Gets the trace, a gzip file, in order; the next part comes when the promise is fulfilled, and waits for it. */
  readonly onTrace?: (part: Buffer) => Promise<void>;
  /** Benches only: porin-init, by its pid on the host, waits at its gate until the promise is fulfilled. */
  readonly atGate?: (pid: number) => Promise<void>;
  /** With a recording: calls so far by name, every second. */
  readonly onCounts?: (calls: Readonly<Record<string, number>>) => void;
  /** The payload has been executed. */
  readonly onStarted?: () => void;
  /** Gets the run's denials: the first of each shape when it happens, and how often by now at most once a second for each. */
  readonly denials?: DenialList;
}

/** What a container is made for, and the channel that it will connect to. */
interface Prepared {
  readonly specification: ContainerSpecification;
  readonly policy: string;
  readonly socketPath: string;
  readonly token: string;
}

interface InsideParts {
  readonly container: RunContainer;
  readonly control: ControlSocket;
  readonly clock: PhaseClock;
  readonly policy: string;
}

type ReportInside = Omit<ExecutorRunReport, 'phasesMs' | 'removalProblem'>;

const CONNECT_TIMEOUT_MS = 60_000;
const POLICY_TIMEOUT_MS = 60_000;
/** After the container's end; the engine has then nothing left but what is on its way. */
const LOG_TIMEOUT_MS = 60_000;
const TOKEN_BYTES = 32;

/**
 * Whatever it throws, the container is gone, or its removal was tried.
 *
 * @throws ExecutionError
 */
export async function runExecutor(request: ExecutorRunRequest, context: ExecutorContext): Promise<ExecutorRunReport> {
  const clock = new PhaseClock();
  try {
    checkMonitoring(request, context);
    const prepared = await prepare(request, context);
    const control = await ControlSocket.listen(prepared.socketPath, prepared.token);
    try {
      const container = await RunContainer.create(context.engine, request.runId, prepared.specification);
      let removalProblem: string | undefined;
      let inside: ReportInside;
      try {
        inside = await runInside(request, context, { container, control, clock, policy: prepared.policy });
      } finally {
        clock.enter('remove');
        removalProblem = await container.remove();
      }
      return { ...inside, phasesMs: clock.totalsMs(), ...(removalProblem !== undefined && { removalProblem }) };
    } finally {
      control.close();
    }
  } catch (error) {
    throw toExecutionError(error);
  }
}

/** Everything that can be refused before there is a container. */
async function prepare(request: ExecutorRunRequest, context: ExecutorContext): Promise<Prepared> {
  const image = await imageConfiguration(context.engine, request.imageId);
  const policy = renderPolicy(payloadPolicy(request, image));
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  const socketPath = join(context.runDirectory, `${request.runId}.sock`);
  const parts = { initPath: context.initPath, socketPath, token, image, architecture: nodeArchitecture(process.arch) };
  return { specification: containerSpecification(request, parts), policy, socketPath, token };
}

async function runInside(
  request: ExecutorRunRequest,
  context: ExecutorContext,
  run: InsideParts,
): Promise<ReportInside> {
  const { container } = run;
  const { onLog, onOutput } = context;
  const logs = new LogCapture(await container.attach(), request.limits.logBytes, onLog, onOutput);
  try {
    return await runAttached(request, context, { ...run, logs });
  } finally {
    logs.close();
  }
}

async function runAttached(
  request: ExecutorRunRequest,
  context: ExecutorContext,
  { container, control, clock, policy, logs }: InsideParts & { readonly logs: LogCapture },
): Promise<ReportInside> {
  const denials = context.denials ?? new DenialList();
  clock.enter('start');
  await container.start().catch((error: unknown) => {
    throw withMount(error, request);
  });
  const hello = await Promise.race([control.accept(CONNECT_TIMEOUT_MS), endedUnheard(logs)]);
  checkLandlock(request, hello.landlockAbi);
  const observation = await Observation.attach(request, {
    recorder: context.recorder,
    onTrace: (part) => context.onTrace?.(part) ?? Promise.resolve(),
    ...(context.onCounts && { onCounts: context.onCounts }),
    pid: () => container.pid(),
  });
  try {
    await context.atGate?.(await container.pid());
    await within(control.sendPolicy(policy), POLICY_TIMEOUT_MS, () => timedOut('take its policy'));
    observation.throwIfLost();
    const result = await runPayload({
      request,
      container,
      control,
      clock,
      stop: context.stop,
      broken: logs.broken,
      onStarted: () => context.onStarted?.(),
      denials,
      ...(observation.onTrace && { onTrace: observation.onTrace }),
    });
    clock.enter('remove');
    await Promise.all([
      container.exited(),
      within(logs.ended, LOG_TIMEOUT_MS, () => new ExecutionError('engine-error', 'the output did not end.')),
    ]);
    const outcome = await withOomKilled(result, container);
    if (!result.executed) await observation.drop();
    const { usage, limitHits, endedOnItsOwn, traced, landlockStatus, foreignProgram, foreignCalls, stoppedBy } = result;
    const observed = result.executed
      ? await observation.finish({
          payloadEndedOnItsOwn: endedOnItsOwn,
          ...(foreignCalls && { foreignCalls }),
          ...(traced && { traced }),
        })
      : {};
    return {
      outcome,
      level: request.level,
      ...(usage && { usage }),
      ...(limitHits && { limitHits }),
      denials: denials.denials,
      denialsDropped: denials.dropped,
      ...(stoppedBy && { stoppedBy }),
      ...(foreignProgram && { foreignProgram }),
      ...(landlockStatus && { landlockStatus }),
      ...observed,
      logs: logs.summary(),
      sandbox: { initVersion: hello.initVersion, kernel: hello.kernel, landlockAbi: hello.landlockAbi },
    };
  } catch (error) {
    await observation.drop();
    throw error;
  }
}

/** What an image has where something is to be mounted is no fault of the engine's. */
function withMount(error: unknown, request: ExecutorRunRequest): unknown {
  const { cause } = error as Error;
  const target = cause instanceof Error ? impossibleMount(request, cause.message) : undefined;
  if (target === undefined) return error;
  return new PolicyError(`Nothing can be mounted at "${target}": the image has something else there.`, { cause });
}

/** Where the cgroup could not be read, the engine is asked. */
async function withOomKilled({ outcome, limitHits }: PayloadResult, container: RunContainer): Promise<ExecutorOutcome> {
  if (outcome.kind !== 'signaled' || limitHits || outcome.oomKilled) return outcome;
  return { ...outcome, oomKilled: await container.oomKilled() };
}

function checkMonitoring({ level: { monitoring } }: ExecutorRunRequest, { recorder }: ExecutorContext): void {
  if (monitoring !== 'none' && !isTrace(monitoring) && !recorder) {
    throw new ExecutionError('recorder-lost', `Monitoring "${monitoring}" needs a recorder, and there is none.`);
  }
}

/** What the kernel lets porin-init have, which a security profile of the engine may make less than it has. */
function checkLandlock({ landlock, landlockMinimum }: ExecutorRunRequest, abi: number): void {
  if (landlock === undefined || landlockMinimum === undefined) return;
  const status = landlockStatusAt(abi);
  if (isLess(status, landlockMinimum)) {
    throw new ExecutionError(
      'landlock-unavailable',
      `the profile requires ${landlockMinimum}, but the kernel (Landlock ABI ${abi}) enforces only ${status} in a container.`,
    );
  }
}

/** A container ends its output with itself; porin-init says there why it refuses to begin. */
async function endedUnheard(logs: LogCapture): Promise<never> {
  await logs.ended;
  throw new ExecutionError('control-channel', 'The container ended before porin-init reported to the worker.');
}

function timedOut(what: string): Error {
  return new ExecutionError('control-channel', `porin-init did not ${what} within ${POLICY_TIMEOUT_MS / 1000} s.`);
}
