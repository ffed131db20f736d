/** Monitoring `trace-notify`: what the supervisor tells of every call, put into words and into an artifact. */
import { nodeArchitecture } from '#lib/profiles';
import { type TraceSummary } from '../executor-run.js';
import { type Traced } from '../sandbox/control-message.js';
import { readableCall } from './notify-lines.js';
import { type TraceArtifact } from './trace-artifact.js';

/** porin-init counts the text that it sends; compressed and in words it is at least so many times smaller. */
const TEXT_PER_COMPRESSED_BYTE = 16;

/** Where porin-init stops to send: the artifact may be full earlier. */
export function textMaximum(traceBytes: number): number {
  return traceBytes * TEXT_PER_COMPRESSED_BYTE;
}

export class NotifyTrace {
  readonly #architecture = nodeArchitecture(process.arch);
  #rest = '';

  constructor(private readonly artifact: TraceArtifact) {}

  /** Resolves when there is room for more: until then porin-init waits, and so does the payload. */
  async take(text: Buffer): Promise<void> {
    const lines = (this.#rest + text.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    if (!this.artifact.full) await this.artifact.write(lines.map((line) => readableCall(line, this.#architecture)));
  }

  /** `traced`: porin-init's last word on the trace; it has none when it was ended by force. */
  finish(traced: Omit<Traced, 'kind'> | undefined): Promise<TraceSummary> {
    if (!traced) return this.artifact.end('porin-init was ended before the trace was complete');
    const { callsBeyondMaximum } = traced;
    return this.artifact.end(
      callsBeyondMaximum === 0 ? undefined : `${callsBeyondMaximum} calls came after the trace had its maximum`,
    );
  }

  drop(): void {
    this.artifact.drop();
  }
}
