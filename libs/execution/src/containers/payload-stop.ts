/** Ends a running payload that must not go on: politely where there is time, then by force, at last with its container. */
import { STOP_REASONS, type ExecutorRunRequest, type StopReason } from '../executor-run.js';
import { type ControlSocket } from '../sandbox/control-socket.js';
import { type RunContainer } from './container.js';
import { isFull } from './disk-space.js';

/** Between SIGTERM and SIGKILL. The other reasons leave no time: the disk is used up, or another node may have the job. */
const GRACE_MS: Readonly<Partial<Record<StopReason, number>>> = { 'wall-time': 5_000, canceled: 5_000 };
/** How long porin-init may take to kill and report. */
const KILL_TIMEOUT_MS = 10_000;
/** How long the engine may take to kill the container. */
const CONTAINER_KILL_TIMEOUT_MS = 60_000;
const DISK_POLL_MS = 1_000;

export class PayloadStop {
  #reason: StopReason | undefined;
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

  /** The payload has ended. */
  end(): void {
    this.#over = true;
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.signal.removeEventListener('abort', this.#onAbort);
  }

  #stop(reason: StopReason): void {
    if (this.#over || this.#reason !== undefined) return;
    this.#reason = reason;
    const graceMs = GRACE_MS[reason] ?? 0;
    // porin-init passes it on. An engine that cannot is followed by the next step.
    if (graceMs > 0) void this.container.signal('SIGTERM').catch(() => undefined);
    this.#after(graceMs, () => {
      this.control.kill();
      this.#after(KILL_TIMEOUT_MS, () => {
        void this.container.signal('SIGKILL').catch(() => undefined);
        // Whoever waits for the report is told that there will be none; the container's removal says the rest.
        this.#after(CONTAINER_KILL_TIMEOUT_MS, () => this.control.close());
      });
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
