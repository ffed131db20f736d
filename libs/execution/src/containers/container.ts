/** One container of one executor run, from its creation to its removal. */
import { type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { containerName } from './container-specification.js';
import { engineCall, engineMessage, engineStatus } from './engine-call.js';

const NOT_FOUND = 404;
const CONFLICT = 409;
const EXIT_TIMEOUT_MS = 60_000;
/** "device or resource busy" and the like pass; Docker 20.10. */
const REMOVAL_TRIES = 4;
const REMOVAL_PAUSE_MS = 500;

/** Every method throws ExecutionError engine-error. */
export class RunContainer {
  #pid: Promise<number> | undefined;

  private constructor(private readonly container: Docker.Container) {}

  static async create(docker: Docker, runId: string, specification: Docker.ContainerCreateOptions) {
    const container = new RunContainer(docker.getContainer(containerName(runId)));
    try {
      await engineCall('create the container', () => docker.createContainer(specification));
    } catch (error) {
      // An engine that answered late may have made it all the same; a name that is taken is another's.
      if (engineStatus(error) === undefined) await container.remove();
      throw error;
    }
    return container;
  }

  /** The standard streams in the engine's framing; to be called before `start`, so that nothing is missed. */
  attach(): Promise<Readable> {
    const options = { stream: true, stdout: true, stderr: true };
    return engineCall(
      'attach to the container',
      async () => (await this.container.attach(options)) as unknown as Readable,
    );
  }

  async start(): Promise<void> {
    await engineCall('start the container', () => this.container.start());
  }

  /** porin-init as the host sees it. */
  pid(): Promise<number> {
    this.#pid ??= engineCall('inspect the container', async () => (await this.container.inspect()).State.Pid);
    return this.#pid;
  }

  async signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await engineCall(`send ${signal}`, () => this.container.kill({ signal }));
  }

  /** Waits until it has ended, which must be about to happen. */
  async exited(): Promise<void> {
    await engineCall('end the container', () => this.container.wait(), EXIT_TIMEOUT_MS);
  }

  /** To be asked when it has ended. */
  oomKilled(): Promise<boolean> {
    return engineCall('inspect the container', async () => (await this.container.inspect()).State.OOMKilled);
  }

  /** Takes it away in whatever state it is, with its anonymous volumes. Answers why it is still there, if it is. */
  async remove(): Promise<string | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        await engineCall('remove the container', () => this.container.remove({ force: true, v: true }));
        return undefined;
      } catch (error) {
        if (engineStatus(error) === NOT_FOUND) return undefined;
        if (tries === REMOVAL_TRIES) return engineMessage(error);
        // "removal already in progress" is a conflict too.
        await sleep(engineStatus(error) === CONFLICT ? REMOVAL_PAUSE_MS / 10 : REMOVAL_PAUSE_MS);
      }
    }
  }
}
