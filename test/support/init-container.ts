/** Runs the test payload under porin-init in a real container, hardened as the worker hardens it. */
import { nodeArchitecture } from '#lib/profiles';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Docker from 'dockerode';
import { type Denial, DenialList } from '#lib/execution';
import { containerEnvironment, containerPaths } from '../../libs/execution/src/sandbox/container-paths.js';
import { type Started } from '../../libs/execution/src/sandbox/control-message.js';
import { ControlSocket, type FailedStart } from '../../libs/execution/src/sandbox/control-socket.js';
import { engineSeccomp } from '../../libs/execution/src/sandbox/engine-seccomp.js';
import { type PayloadEnd, type PayloadHandlers } from '../../libs/execution/src/sandbox/payload-report.js';
import { renderPolicy, type SandboxPolicy } from '../../libs/execution/src/sandbox/policy-text.js';
import { nativeInit, testPayload } from './native.js';
import { smallFilter } from './small-filter.js';

export const CONNECT_TIMEOUT_MS = 60_000;
/** A user of the tests' own: RLIMIT_NPROC counts a user's processes over all containers of the machine. */
const USER = '65534:65534';

export interface Outcome {
  readonly start: Started | FailedStart;
  /** Absent where the payload did not start. */
  readonly end: (PayloadEnd & { readonly denials: readonly Denial[]; readonly denialsDropped: number }) | undefined;
  readonly output: string;
  /** The container's own, which is porin-init's. */
  readonly exitCode: number;
  /** What porin-init said in all. */
  readonly bytesReceived: number;
}

export class InitContainer {
  private constructor(
    readonly control: ControlSocket,
    readonly container: Docker.Container,
    private readonly directory: string,
    private readonly output: PassThrough,
  ) {}

  /** Creates and starts a container whose porin-init connects to `control`. */
  static async start(
    options: {
      readonly token?: string;
      readonly listenFor?: string;
      readonly user?: string;
      readonly hostConfig?: Docker.HostConfig;
    } = {},
  ): Promise<InitContainer> {
    const docker = new Docker();
    const directory = mkdtempSync(join(tmpdir(), 'porin-'));
    const token = options.token ?? randomBytes(32).toString('hex');
    const paths = containerPaths(randomUUID());
    const control = await ControlSocket.listen(join(directory, 'c.sock'), options.listenFor ?? token);
    const container = await docker.createContainer({
      Image: await payloadImage(docker),
      Entrypoint: [paths.init],
      Cmd: [],
      Env: [...containerEnvironment(paths, token)],
      User: options.user ?? USER,
      Labels: { 'porin.test': 'init' },
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges', `seccomp=${JSON.stringify(engineSeccomp(nodeArchitecture(process.arch)))}`],
        PidsLimit: 512,
        Memory: 256 * 1024 * 1024,
        Binds: [`${nativeInit()}:${paths.init}:ro`, `${control.path}:${paths.socket}:ro`],
        ...options.hostConfig,
      },
    });
    const output = new PassThrough();
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    docker.modem.demuxStream(stream, output, output);
    stream.on('end', () => output.end());
    await container.start();
    return new InitContainer(control, container, directory, output);
  }

  async text(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.output) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  }

  async exitCode(): Promise<number> {
    return ((await this.container.wait()) as { StatusCode: number }).StatusCode;
  }

  async remove(): Promise<void> {
    this.control.close();
    await this.container.remove({ force: true, v: true });
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A policy that allows nearly everything, for `/payload` and the arguments given. */
export function policyFor(command: readonly string[], changes: Partial<SandboxPolicy> = {}): SandboxPolicy {
  return {
    arguments: ['/payload', ...command],
    environment: { PATH: '/bin:/' },
    workingDirectory: '/',
    rlimits: {},
    filter: smallFilter({}),
    ...changes,
  };
}

/** From container to report. `during` runs once the payload has started. */
export async function runUnderInit(
  policy: SandboxPolicy,
  options: Parameters<typeof InitContainer.start>[0] & {
    readonly during?: (running: InitContainer) => Promise<void>;
    readonly handlers?: PayloadHandlers;
    readonly denials?: DenialList;
  } = {},
): Promise<Outcome> {
  const running = await InitContainer.start(options);
  const list = options.denials ?? new DenialList();
  try {
    await running.control.accept(CONNECT_TIMEOUT_MS);
    await running.control.sendPolicy(renderPolicy(policy));
    const start = await running.control.go();
    if (start.kind === 'started') await options.during?.(running);
    const end = start.kind === 'started' ? await running.control.finished(list, options.handlers) : undefined;
    const exitCode = await running.exitCode();
    return {
      start,
      end: end && { ...end, denials: list.denials, denialsDropped: list.dropped },
      output: await running.text(),
      exitCode,
      bytesReceived: running.control.bytesReceived,
    };
  } finally {
    await running.remove();
  }
}

let imageId: Promise<string> | undefined;

/** An image of the payload and the files that its tests name, made once per test file. */
function payloadImage(docker: Docker): Promise<string> {
  imageId ??= importImage(docker);
  return imageId;
}

async function importImage(docker: Docker): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'porin-image-'));
  try {
    for (const directory of ['proc', 'sys', 'dev', 'etc', 'run/porin', 'tmp', 'bin']) {
      mkdirSync(join(root, directory), { recursive: true });
    }
    chmodSync(root, 0o755);
    copyFileSync(testPayload(), join(root, 'payload'));
    copyFileSync(testPayload(), join(root, 'bin/found-in-path'));
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/payload\n');
    writeFileSync(join(root, 'not-executable'), 'data', { mode: 0o644 });
    writeFileSync(join(root, 'garbage'), 'neither ELF nor script\n', { mode: 0o755 });
    const tar = execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-c', '.'], { maxBuffer: 64 * 1024 * 1024 });
    const file = join(root, '..', `${randomBytes(8).toString('hex')}.tar`);
    writeFileSync(file, tar);
    try {
      const stream = await docker.importImage(file, { repo: 'porin-test/payload', tag: 'latest' });
      await new Promise<void>((resolve, reject) => {
        docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
      });
    } finally {
      rmSync(file);
    }
    return (await docker.getImage('porin-test/payload:latest').inspect()).Id;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
