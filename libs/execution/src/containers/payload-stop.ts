/** Ends a running payload that must not go on: politely where there is time, then by force, at last with its container. */
import { type ListedDenial } from '../denial-list.js';
import { STOP_REASONS, type DenialStopReason, type ExecutorRunRequest, type StopReason } from '../executor-run.js';
import { type ControlSocket } from '../sandbox/control-socket.js';
import { type RunContainer } from './container.js';
import { isFull } from './disk-space.js';

/**
 * Between SIGTERM and SIGKILL. The other reasons leave no time: the disk is used up, another node may have the job, or the
 * payload tries what is dangerous or nothing but what it is refused.
 */
const GRACE_MS: Readonly<Partial<Record<StopReason, number>>> = { 'wall-time': 5_000, canceled: 5_000 };
/** How long porin-init may take to kill and report. */
const KILL_TIMEOUT_MS = 10_000;
/** How long the engine may take to kill the container. */
const CONTAINER_KILL_TIMEOUT_MS = 60_000;
const DISK_POLL_MS = 1_000;

export class PayloadStop {
  #reason: StopReason | undefined;
  #cause: ListedDenial | undefined;
  #killed = false;
  #over = false;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #onAbort = () => this.#stop(stopReason(this.signal));

  /** Watches from now on: the payload has just started. */
  constructor(
    private readonly request: ExecutorRunRequest,
    private readonly control: ControlSocket,
    private readonly container: RunContainer,
    private readonly signal: AbortSignal,
  ) {
    this.#after(request.limits.wallTimeMs, () => this.#stop('wall-time'));
    this.#watchDisk();
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Why the payload was told to end; the first reason counts. */
  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** The denial for which the payload was told to end. */
  get cause(): ListedDenial | undefined {
    return this.#cause;
  }

  /** Ends the payload for what it was denied. */
  denied(reason: DenialStopReason, cause: ListedDenial): void {
    if (this.#over) return;
    if (this.#reason === undefined) this.#cause = cause;
    this.#stop(reason);
  }

  /** The payload has ended. */
  end(): void {
    this.#over = true;
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.signal.removeEventListener('abort', this.#onAbort);
  }

  /** A reason that leaves no time also ends the time that an earlier one left. */
  #stop(reason: StopReason): void {
    if (this.#over) return;
    const isFirst = this.#reason === undefined;
    this.#reason ??= reason;
    const graceMs = GRACE_MS[reason] ?? 0;
    if (graceMs === 0) this.#kill();
    else if (isFirst) {
      // porin-init passes it on. An engine that cannot is followed by the next step.
      void this.container.signal('SIGTERM').catch(() => undefined);
      this.#after(graceMs, () => this.#kill());
    }
  }

  #kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.control.kill();
    this.#after(KILL_TIMEOUT_MS, () => {
      void this.container.signal('SIGKILL').catch(() => undefined);
      // Whoever waits for the report is told that there will be none; the container's removal says the rest.
      this.#after(CONTAINER_KILL_TIMEOUT_MS, () => this.control.close());
    });
  }

  #watchDisk(): void {
    this.#after(DISK_POLL_MS, () => {
      void isFull(this.request.scratchDirectory).then((full) => {
        if (full) this.#stop('disk-limit');
        if (this.#reason === undefined) this.#watchDisk();
      });
    });
  }

  #after(ms: number, what: () => void): void {
    if (!this.#over) this.#timers.push(setTimeout(what, ms));
  }
}

export function stopReason({ reason }: AbortSignal): StopReason {
  return STOP_REASONS.find((known) => known === reason) ?? 'canceled';
}
