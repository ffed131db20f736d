/** Containers for the recorder's tests: static programs as the image, a gate as the first process. */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { required } from './environment.js';
import { cgroupDirectory, compile, PROGRAM } from './recorder-processes.js';

const run = promisify(execFile);
const IMAGE = `porin-test/recorder-${process.pid}`;

export interface ContainerOptions extends Pick<Docker.HostConfig, 'CapAdd' | 'Tmpfs'> {
  /** Behind the gate, in the place of recorder-payload. */
  readonly program?: string;
  readonly binds?: readonly string[];
}

export class RecorderContainers {
  readonly docker: Docker;
  readonly #containers: GatedContainer[] = [];

  private constructor(private readonly directory: string) {
    required('DOCKER_HOST');
    this.docker = new Docker();
  }

  /** Compiles the program and imports it, with what `fill` puts into the root beside it, as an image. */
  static async create(fill: (root: string) => Promise<void> = async () => {}): Promise<RecorderContainers> {
    const containers = new RecorderContainers(await mkdtemp(join(tmpdir(), 'porin-recorder-')));
    const root = join(containers.directory, 'root');
    const archive = join(containers.directory, 'image.tar');
    await mkdir(root);
    await compile(PROGRAM, root);
    await fill(root);
    await run('tar', ['-C', root, '-cf', archive, '.']);
    const progress = await containers.docker.importImage(createReadStream(archive), { repo: IMAGE, tag: 'latest' });
    await new Promise<void>((resolve, reject) => {
      containers.docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
    });
    return containers;
  }

  /** Starts a container whose first process waits at its gate with the program's `command` behind it. */
  async start(
    command: readonly string[],
    securityOptions: readonly string[] = [],
    { program = `/${PROGRAM}`, binds = [], ...host }: ContainerOptions = {},
  ): Promise<GatedContainer> {
    const gate = await mkdtemp(join(this.directory, 'gate-'));
    const container = await this.docker.createContainer({
      Image: IMAGE,
      Entrypoint: [`/${PROGRAM}`, 'gate', program],
      Cmd: [...command],
      HostConfig: {
        ...host,
        NetworkMode: 'none',
        Binds: [`${gate}:/gate:ro`, ...binds],
        SecurityOpt: [...securityOptions],
      },
    });
    await container.start();
    const { State } = await container.inspect();
    const gated = new GatedContainer(container, State.Pid, gate);
    this.#containers.push(gated);
    return gated;
  }

  /** Runs the program on the host. */
  async runOnHost(command: readonly string[]): Promise<void> {
    await run(join(this.directory, 'root', PROGRAM), [...command]);
  }

  async removeContainers(): Promise<void> {
    await Promise.all(this.#containers.splice(0).map((gated) => gated.container.remove({ force: true })));
  }

  async close(): Promise<void> {
    await this.removeContainers();
    await this.docker.getImage(IMAGE).remove({ force: true });
    await rm(this.directory, { recursive: true, force: true });
  }
}

export class GatedContainer {
  constructor(
    readonly container: Docker.Container,
    readonly pid: number,
    private readonly gate: string,
  ) {}

  openGate(): Promise<void> {
    return writeFile(join(this.gate, 'go'), '');
  }

  /** Lets the program `hold` end. */
  endHold(): Promise<void> {
    return writeFile(join(this.gate, 'end'), '');
  }

  /** The pid, on the host, of the program behind the gate, once it has been executed. */
  async payloadPid(): Promise<number> {
    for (let tries = 0; tries < 6000; tries += 1) {
      const { Processes } = (await this.container.top({ ps_args: '-eo pid,args' })) as {
        Processes: [string, string][];
      };
      const payload = Processes.find(([, args]) => !args.includes(' gate '));
      if (payload !== undefined) return Number(payload[0]);
      await sleep(10);
    }
    throw new Error('the payload did not start');
  }

  /** The directory of the container's cgroup v2. */
  cgroupDirectory(): Promise<string> {
    return cgroupDirectory(this.pid);
  }

  async exitCode(): Promise<number> {
    const { StatusCode } = (await this.container.wait()) as { StatusCode: number };
    return StatusCode;
  }

  async openGateAndWait(): Promise<number> {
    await this.openGate();
    return this.exitCode();
  }

  /** `docker exec` of the program, until it has ended. */
  async execute(command: readonly string[]): Promise<void> {
    const exec = await this.container.exec({ Cmd: [`/${PROGRAM}`, ...command], AttachStdout: true });
    const stream = await exec.start({});
    stream.resume();
    await new Promise((resolve) => stream.once('end', resolve));
  }
}
