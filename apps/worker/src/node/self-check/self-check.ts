/** The checks of this node, from its start to its end: what is wrong now, and when that is news. */
import { type Engine, type EngineFacts, readEngine } from '#lib/execution';
import { type Logger } from 'pino';
import { checkNode, type NodeSettings } from './check-node.js';
import { type NodeProblem } from './node-problem.js';
import { readNode } from './read-node.js';

export interface SelfCheckOptions {
  readonly engine: Engine;
  readonly settings: NodeSettings;
  readonly workDirectory: string;
  readonly everyMs: number;
  readonly recorderProblem: () => string | undefined;
  readonly databaseTimeMs: () => Promise<number>;
  readonly logger: Logger;
}

/** What is asked of the engine costs it more than the rest costs this node. */
const ENGINE_EVERY_ROUNDS = 10;

export class SelfCheck {
  problems: readonly NodeProblem[] = [];
  #engine: EngineFacts | undefined;
  #rounds = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(private readonly options: SelfCheckOptions) {}

  /** Everything. Throws what cannot be read. */
  async whole(): Promise<void> {
    this.#engine = await readEngine(this.options.engine);
    await this.#look(this.#engine);
  }

  /** Looks again from time to time. `onNews`: other things are wrong now, or in other words than when the engine was last asked. */
  start(onNews: () => Promise<void>): void {
    this.#timer = setTimeout(() => {
      void this.#round(onNews)
        .catch((error: unknown) => this.options.logger.warn({ err: error }, 'this node could not check itself'))
        .then(() => {
          if (!this.#stopped) this.start(onNews);
        });
    }, this.options.everyMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #round(onNews: () => Promise<void>): Promise<void> {
    const before = this.problems;
    const engine = ++this.#rounds % ENGINE_EVERY_ROUNDS === 0 ? undefined : this.#engine;
    await (engine ? this.#look(engine) : this.whole());
    // Numbers that change from minute to minute are told when the engine is asked.
    const words = ({ check, problem }: NodeProblem) => (engine ? check : `${check} ${problem}`);
    const isNews = this.problems.map(words).join('\n') !== before.map(words).join('\n');
    if (isNews && !this.#stopped) await onNews();
  }

  async #look(engine: EngineFacts): Promise<void> {
    const { settings, workDirectory, recorderProblem, databaseTimeMs, logger } = this.options;
    const known = new Set(this.problems.map(({ check }) => check));
    const readings = await readNode({ engine, workDirectory, recorderProblem: recorderProblem(), databaseTimeMs });
    const found = checkNode(readings, settings);
    for (const problem of found) {
      if (!known.delete(problem.check)) logger.warn(problem, 'something is wrong with this node');
    }
    for (const check of known) logger.info({ check }, 'a problem of this node is gone');
    this.problems = found;
  }
}
