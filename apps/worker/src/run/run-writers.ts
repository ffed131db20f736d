/** Everything of a run that is written while it goes on: what it prints, its trace, its denials. */
import { type DenialList, type ExecutorContext } from '#lib/execution';
import { type Logger } from 'pino';
import { DenialWriter } from './denial-writer.js';
import { runDenial } from './finished-run.js';
import { LogWriter } from './log-writer.js';
import { type RunStore } from './run-store.js';
import { traceWriter } from './trace-writer.js';

export class RunWriters {
  readonly #logs: LogWriter;
  readonly #denials: DenialWriter;
  readonly #writeTrace: (part: Buffer) => Promise<void>;

  constructor(runs: RunStore, runId: string, logger: Logger) {
    this.#logs = new LogWriter((stream, offset, content) => runs.appendArtifact(runId, stream, offset, content));
    this.#writeTrace = traceWriter((offset, content) => runs.appendArtifact(runId, 'trace', offset, content));
    this.#denials = new DenialWriter(
      (changed) =>
        runs.writeDenials(
          runId,
          changed.map(({ position, denial }) => runDenial(position, denial)),
        ),
      (error) => logger.warn({ runId, err: error }, 'denials could not be shown while the payload runs'),
    );
  }

  get listeners(): Pick<ExecutorContext, 'onLog' | 'onTrace' | 'denials'> {
    return {
      onLog: this.#logs.write,
      onTrace: this.#writeTrace,
      denials: this.#denials.list,
    };
  }

  get denials(): DenialList {
    return this.#denials.list;
  }

  /** Resolves when all is written; the denials' last counts are the report's. */
  async end(): ReturnType<LogWriter['end']> {
    await this.#denials.end();
    return this.#logs.end();
  }
}
