/** The driver of porin-recorder: one child process per worker, one answer per line. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { type Readable, type Writable } from 'node:stream';
import { nodeArchitecture, type Recording } from '#lib/profiles';
import { RecorderError } from './recorder-error.js';
import { isDetail, type RecorderDetail } from './recorder-detail.js';
import { parseRecorderLine, type RecorderLine } from './recorder-line.js';
import { lostRecording, namedCalls, RECORDING_KINDS, type RecordingKind, recordingOf } from './recording.js';

export interface RecorderOptions {
  readonly binaryPath: string;
  /** How long porin-recorder may take for one answer before it counts as lost. Default 30 s. */
  readonly answerTimeoutMs?: number;
  /** Lower bounds than production's, for tests that reach them (docs/recorder-protocol.md). */
  readonly limits?: Readonly<Record<string, number>>;
}

type Answer = Exclude<RecorderLine, RecorderDetail>;

interface PendingAnswer {
  /** What came before the answer itself; absent where nothing may. */
  readonly details?: RecorderDetail[];
  readonly runId?: string;
  readonly resolve: (line: Answer) => void;
  readonly reject: (error: RecorderError) => void;
}

const PROTOCOL_MAJOR = '3';
/** Far more than porin-recorder's own bounds for one recording. */
const MAX_DETAILS = 200_000;
/** A `finished` line with every number, or the longest path in base64, is well below it. */
const MAX_LINE_LENGTH = 32 * 1024;
const STDERR_KEPT = 2000;

export class Recorder {
  /** Resolves when porin-recorder ended without being asked to. */
  readonly lost: Promise<RecorderError>;
  #version = '';
  #closing = false;
  #problem: RecorderError | undefined;
  #stderr = '';
  #unfinished = '';
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #answerTimeoutMs: number;
  readonly #architecture = nodeArchitecture(process.arch);
  readonly #pending: PendingAnswer[] = [];
  readonly #armed = new Map<string, RecordingKind>();
  readonly #ended: Promise<void>;

  private constructor(options: RecorderOptions) {
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 30_000;
    // An empty environment: the worker's own holds secrets.
    this.#child = spawn(options.binaryPath, limitArguments(options), { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    // A write after the child's end; its 'close' event says the rest.
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.setEncoding('latin1').on('data', (text: string) => this.#takeText(text));
    this.lost = new Promise((resolve) => {
      this.#child.once('error', (cause) => {
        this.#fail(
          new RecorderError('not-started', `porin-recorder could not be executed: ${cause.message}`, { cause }),
        );
      });
      this.#child.once('close', (code, signal) => {
        const how = signal === null ? `with status ${code}` : `by ${signal}`;
        const error = new RecorderError(
          'lost',
          `porin-recorder ended ${how}${this.#stderr === '' ? '' : `: ${this.#stderr.trim()}`}`,
        );
        this.#fail(error);
        if (!this.#closing) resolve(this.#problem ?? error);
      });
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /**
   * Starts porin-recorder and waits until it has loaded its programs.
   *
   * @throws RecorderError `bpf-not-permitted`, `no-btf` or `bpf-load-failed` where this node cannot record, `not-started`
   * where the binary is not there.
   */
  static async start(options: RecorderOptions): Promise<Recorder> {
    const recorder = new Recorder(options);
    try {
      const line = await recorder.#answer();
      if (line.kind === 'error')
        throw new RecorderError(line.code, [line.message, recorder.#stderr.trim()].filter(Boolean).join('\n'));
      if (
        line.kind !== 'ready' ||
        line.version.split('.')[0] !== PROTOCOL_MAJOR ||
        !RECORDING_KINDS.every((feature) => line.features.includes(feature))
      ) {
        throw new RecorderError('protocol', `porin-recorder does not speak version ${PROTOCOL_MAJOR} of its protocol`);
      }
      recorder.#version = line.version;
      return recorder;
    } catch (error) {
      await recorder.close();
      throw error;
    }
  }

  get version(): string {
    return this.#version;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * Begins a recording. To be called while porin-init is alone in its container, before the gate opens.
   *
   * @param containerPid porin-init as the host sees it (`State.Pid`).
   */
  async arm(runId: string, containerPid: number, kind: RecordingKind): Promise<void> {
    await this.#command('armed', ['arm', runId, String(containerPid), kind]);
    this.#armed.set(runId, kind);
  }

  /**
   * The calls that have entered the kernel so far, by name, while the payload runs; cheap enough to be asked every second.
   *
   * @throws RecorderError `unknown-id` when no recording of this run is on, or what ended porin-recorder.
   */
  async counts(runId: string): Promise<Readonly<Record<string, number>>> {
    const { facts } = await this.#command('counts', ['read', runId]);
    return namedCalls(facts.calls, this.#architecture).byName;
  }

  /**
   * Ends a recording. To be called after the container has exited. A recorder lost since `arm` gives a recording that is
   * partial by `recorder-lost`.
   */
  async finish(runId: string, end: { readonly payloadEndedOnItsOwn: boolean }): Promise<Recording> {
    const armed = this.#armed.get(runId);
    this.#armed.delete(runId);
    const { payloadEndedOnItsOwn } = end;
    const context = { architecture: this.#architecture, kind: armed ?? 'syscalls', payloadEndedOnItsOwn };
    const details: RecorderDetail[] = [];
    try {
      const line = await this.#command('finished', ['finish', runId], details);
      return recordingOf(line.facts, details, context);
    } catch (error) {
      if (armed !== undefined && this.#problem !== undefined) return lostRecording(context);
      throw error;
    }
  }

  /** Drops a recording. */
  async disarm(runId: string): Promise<void> {
    this.#armed.delete(runId);
    await this.#command('disarmed', ['disarm', runId]);
  }

  /** Ends porin-recorder and with it every recording. May be called twice. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.#answerTimeoutMs);
    await this.#ended;
    clearTimeout(timer);
  }

  async #command<Kind extends Answer['kind']>(
    kind: Kind,
    words: readonly [command: string, runId: string, ...rest: string[]],
    details?: RecorderDetail[],
  ): Promise<Extract<Answer, { readonly kind: Kind }>> {
    if (this.#problem !== undefined) throw this.#problem;
    const answer = this.#answer(details && { runId: words[1], details });
    this.#child.stdin.write(`${words.join(' ')}\n`);
    const line = await answer;
    if (line.kind === 'error') throw new RecorderError(line.code, line.message);
    if (line.kind !== kind || ('runId' in line && line.runId !== words[1])) {
      const error = new RecorderError('protocol', `porin-recorder answered ${line.kind} to ${words[0]}`);
      this.#fail(error);
      throw error;
    }
    return line as Extract<Answer, { readonly kind: Kind }>;
  }

  #answer(before: Pick<PendingAnswer, 'runId' | 'details'> = {}): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new RecorderError('lost', `porin-recorder did not answer within ${this.#answerTimeoutMs} ms`));
      }, this.#answerTimeoutMs);
      this.#pending.push({
        ...before,
        resolve: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  /** A line counts with its end: porin-recorder may be killed in the middle of one that looks whole. */
  #takeText(text: string): void {
    const lines = (this.#unfinished + text).split('\n');
    this.#unfinished = lines.pop() ?? '';
    for (const line of lines) this.#takeLine(line);
    if (this.#unfinished.length > MAX_LINE_LENGTH) {
      this.#unfinished = '';
      this.#fail(new RecorderError('protocol', `porin-recorder wrote a line of over ${MAX_LINE_LENGTH} characters`));
    }
  }

  #takeLine(text: string): void {
    try {
      const line = parseRecorderLine(text);
      if (isDetail(line)) this.#takeDetail(line);
      else this.#takeAnswer(line);
    } catch (error) {
      this.#fail(error as RecorderError);
    }
  }

  #takeDetail(detail: RecorderDetail): void {
    const { details, runId } = this.#pending[0] ?? {};
    if (details === undefined || runId !== detail.runId) throw unasked();
    if (details.length === MAX_DETAILS)
      throw new RecorderError('protocol', `porin-recorder wrote more than ${MAX_DETAILS} lines to one command`);
    details.push(detail);
  }

  #takeAnswer(answer: Answer): void {
    const pending = this.#pending.shift();
    if (pending === undefined) throw unasked();
    pending.resolve(answer);
  }

  /** Answers come in order, so after one that is missing or not understood none can be trusted. */
  #fail(error: RecorderError): void {
    this.#problem ??= error;
    this.#child.kill('SIGKILL');
    for (const pending of this.#pending.splice(0)) pending.reject(this.#problem);
  }
}

function limitArguments({ limits }: RecorderOptions): string[] {
  if (limits === undefined) return [];
  const words = Object.entries(limits).map(([name, limit]) => `${name}=${limit}`);
  return ['--limits', words.join(',')];
}

function unasked(): RecorderError {
  return new RecorderError('protocol', 'porin-recorder wrote a line that nobody asked for');
}
