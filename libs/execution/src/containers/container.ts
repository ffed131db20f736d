/** One container of one executor run, from its creation to its removal. */
import { type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerAnswer, createdAnswer } from '../engine/answers.js';
import { type Engine } from '../engine/engine.js';
import { engineCall } from '../engine/engine-call.js';
import { engineStatus } from '../engine/engine-error.js';
import { containerName, type ContainerSpecification } from './container-specification.js';

const NOT_FOUND = 404;
const CONFLICT = 409;
const EXIT_TIMEOUT_MS = 60_000;
/** "device or resource busy" and the like pass; Docker 20.10. */
const REMOVAL_TRIES = 4;
const REMOVAL_PAUSE_MS = 500;

/** Every method throws ExecutionError engine-error. */
export class RunContainer {
  #pid: Promise<number> | undefined;

  private constructor(
    private readonly engine: Engine,
    private readonly name: string,
  ) {}

  static async create(engine: Engine, runId: string, specification: ContainerSpecification) {
    const name = containerName(runId);
    const container = new RunContainer(engine, name);
    try {
      await engineCall('create the container', () =>
        engine.json(createdAnswer, {
          method: 'POST',
          path: ['containers', 'create'],
          query: { name },
          body: specification,
        }),
      );
    } catch (error) {
      // A create that timed out may still have succeeded, so remove it. On a name conflict the container is not ours.
      if (engineStatus(error) === undefined) await container.remove();
      throw error;
    }
    return container;
  }

  /** The standard streams in the engine's framing; to be called before `start`, so that nothing is missed. */
  attach(): Promise<Readable> {
    const query = { stream: 'true', stdout: 'true', stderr: 'true' };
    return engineCall('attach to the container', () => this.engine.stream({ ...this.#post('attach'), query }));
  }

  async start(): Promise<void> {
    await engineCall('start the container', () => this.engine.send(this.#post('start')));
  }

  /** porin-init as the host sees it. */
  pid(): Promise<number> {
    this.#pid ??= engineCall('inspect the container', async () => (await this.#inspect()).State.Pid);
    return this.#pid;
  }

  async signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await engineCall(`send ${signal}`, () => this.engine.send({ ...this.#post('kill'), query: { signal } }));
  }

  /** Waits until it has ended, which must be about to happen. */
  async exited(): Promise<void> {
    await engineCall('end the container', () =>
      this.engine.send({ ...this.#post('wait'), timeoutMs: EXIT_TIMEOUT_MS }),
    );
  }

  /** To be asked when it has ended. */
  oomKilled(): Promise<boolean> {
    return engineCall('inspect the container', async () => (await this.#inspect()).State.OOMKilled);
  }

  /** Takes it away in whatever state it is, with its anonymous volumes. Answers why it is still there, if it is. */
  async remove(): Promise<string | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        await engineCall('remove the container', () =>
          this.engine.send({
            method: 'DELETE',
            path: ['containers', this.name],
            query: { force: 'true', v: 'true' },
          }),
        );
        return undefined;
      } catch (error) {
        if (engineStatus(error) === NOT_FOUND) return undefined;
        if (tries === REMOVAL_TRIES) return error instanceof Error ? error.message : String(error);
        // "removal already in progress" is a conflict too.
        await sleep(engineStatus(error) === CONFLICT ? REMOVAL_PAUSE_MS / 10 : REMOVAL_PAUSE_MS);
      }
    }
  }

  #inspect() {
    return this.engine.json(containerAnswer, { method: 'GET', path: ['containers', this.name, 'json'] });
  }

  #post(what: string) {
    return { method: 'POST', path: ['containers', this.name, what] } as const;
  }
}
