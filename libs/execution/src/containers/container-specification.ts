/** What the engine is asked for: the container around porin-init, with nothing in it left to a default of the engine or the image. */
import { isAbsolute, normalize } from 'node:path/posix';
import { type Architecture } from '#lib/profiles';
import { type ExecutorRunRequest, type Mount, type RunLimits } from '../executor-run.js';
import { containerEnvironment, containerPaths } from '../sandbox/container-paths.js';
import { engineSeccomp } from '../sandbox/engine-seccomp.js';
import { PolicyError } from '../sandbox/policy-text.js';
import { type ImageConfiguration } from '../images/image-configuration.js';
import { containerPidsLimit, engineUlimits, payloadRlimits } from './rlimits.js';

export interface ContainerParts {
  /** Host path of porin-init. */
  readonly initPath: string;
  /** Host path of the control socket. */
  readonly socketPath: string;
  readonly token: string;
  readonly image: ImageConfiguration;
  readonly architecture: Architecture;
}

/** A name that both the cgroupfs and the systemd driver of an engine take. */
const CGROUP_PARENT = 'porin.slice';
const HOST_NAME = 'porin';
/** Where no mount of a request may be: porin-init's own, and what the kernel shows. */
const RESERVED = ['/run/porin', '/proc', '/sys', '/dev'];
const TEMPORARY = '/tmp';
/** Alive or dead, it is known by this name. */
export const containerName = (runId: string): string => `porin-${runId}`;

/** What we send to POST /containers/create, in the words of the Engine API (1.40 and later). */
export interface ContainerSpecification {
  readonly Image: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Hostname: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly StopSignal: string;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Tty: boolean;
  readonly HostConfig: HostConfiguration;
}

interface HostConfiguration {
  readonly NetworkMode: string;
  readonly ExtraHosts: readonly string[];
  readonly IpcMode: string;
  readonly PidMode: string;
  readonly UTSMode: string;
  readonly Init: boolean;
  readonly Privileged: boolean;
  readonly ReadonlyRootfs: boolean;
  readonly CapDrop: readonly string[];
  readonly SecurityOpt: readonly string[];
  readonly Mounts: readonly BindMount[];
  /** Path in the container -> options of mount(8). */
  readonly Tmpfs: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly Memory: number;
  /** Bytes, memory included. */
  readonly MemorySwap: number;
  readonly NanoCpus: number;
  readonly CpusetCpus?: string;
  readonly PidsLimit: number;
  /** Bytes. */
  readonly ShmSize: number;
  readonly Ulimits: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
  readonly CgroupParent: string;
  readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  readonly RestartPolicy: { readonly Name: string };
  readonly AutoRemove: boolean;
}

interface BindMount {
  readonly Type: 'bind';
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
  /** `NonRecursive`: what is mounted below the source stays out. */
  readonly BindOptions: { readonly Propagation: 'rprivate'; readonly NonRecursive: boolean };
}

/** Throws PolicyError for mounts that cannot be. */
export function containerSpecification(request: ExecutorRunRequest, parts: ContainerParts): ContainerSpecification {
  const { limits } = request;
  request.mounts.forEach(checkMount);
  const paths = containerPaths(request.runId);
  return {
    Image: request.imageId,
    Entrypoint: [paths.init],
    Cmd: [],
    // A name without a value takes the image's own out: GLIBC_TUNABLES and the like must not reach porin-init.
    Env: [...parts.image.environment.map(nameOf).filter(Boolean), ...containerEnvironment(paths, parts.token)],
    User: `${request.uid}:${request.gid}`,
    WorkingDir: '/',
    Hostname: HOST_NAME,
    Labels: { ...request.labels, 'porin.run': request.runId },
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGTERM',
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    HostConfig: {
      NetworkMode: 'none',
      // Into the /etc/hosts that the engine mounts: programs look their own host up.
      ExtraHosts: [`${HOST_NAME}:127.0.0.1`],
      IpcMode: 'private',
      PidMode: '',
      UTSMode: '',
      Init: false,
      Privileged: false,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      // At every level, so that a program is answered alike while it is learned and afterwards; what the engine's own
      // default would refuse is porin-init's filter's to refuse.
      SecurityOpt: ['no-new-privileges', `seccomp=${JSON.stringify(engineSeccomp(parts.architecture))}`],
      Mounts: [
        bind(parts.initPath, paths.init, true),
        bind(parts.socketPath, paths.socket, true),
        ...request.mounts.map(({ source, target, readOnly }) => bind(source, target, readOnly)),
      ],
      Tmpfs: Object.fromEntries(temporaryDirectories(request).map((path) => [path, tmpfsOptions(request, path)])),
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: limits.cpuMilli * 1_000_000,
      ...(request.cpuset !== undefined && { CpusetCpus: request.cpuset }),
      PidsLimit: containerPidsLimit(limits),
      ShmSize: temporaryBytes(limits),
      Ulimits: engineUlimits(payloadRlimits(limits)),
      CgroupParent: CGROUP_PARENT,
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
    },
  };
}

/** /tmp and the image's VOLUMEs, which a read-only root file system would leave writable on the engine's own disk. */
export function temporaryDirectories({ mounts, imageVolumes }: ExecutorRunRequest): readonly string[] {
  const mounted = new Set(mounts.map(({ target }) => normalize(target)));
  return [...new Set([TEMPORARY, ...imageVolumes.map(withoutSlash)])].filter((path) => !mounted.has(path));
}

/** Owner and size: a mode is the image's, where it has the directory. */
function tmpfsOptions({ limits, uid, gid }: ExecutorRunRequest, path: string): string {
  const mode = path === TEMPORARY ? '1777' : '0755';
  return `rw,nosuid,nodev,noexec,size=${temporaryBytes(limits)},uid=${uid},gid=${gid},mode=${mode}`;
}

/** Their pages count as the container's memory: half of it, so that a full one is told from a lack of memory. */
function temporaryBytes({ diskBytes, memoryBytes }: RunLimits): number {
  return Math.min(diskBytes, Math.floor(memoryBytes / 2));
}

/** Unlike `Binds`, this takes any path and fails where the source does not exist. */
function bind(source: string, target: string, readOnly: boolean): BindMount {
  return {
    Type: 'bind',
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    BindOptions: { Propagation: 'rprivate', NonRecursive: true },
  };
}

function checkMount({ target }: Mount): void {
  const path = withoutSlash(target);
  if (!isAbsolute(target) || path === '/') throw new PolicyError(`Nothing can be mounted at "${target}".`);
  const reserved = RESERVED.find((place) => path === place || path.startsWith(`${place}/`));
  if (reserved !== undefined) throw new PolicyError(`Nothing may be mounted at ${target}: ${reserved} is reserved.`);
}

/** The engine's words, and the runtime's, for a place in the image that cannot be mounted on. */
const NO_PLACE =
  /not a directory|is a directory|too many levels of symbolic links|read-only file system|file name too long/;

/**
 * Where an engine that could not start the container stumbled over what the image has at a mount: that mount's target.
 * Undefined for any other failure.
 *
 * @param said by the engine
 */
export function impossibleMount(request: ExecutorRunRequest, said: string): string | undefined {
  const [, at] = /to rootfs at "([^"]+)"/.exec(said) ?? [];
  if (at === undefined || !NO_PLACE.test(said)) return undefined;
  const targets = [...temporaryDirectories(request), ...request.mounts.map(({ target }) => withoutSlash(target))];
  return targets.find((target) => at === target || at.startsWith(`${target}/`));
}

function withoutSlash(path: string): string {
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function nameOf(variable: string): string {
  return variable.split('=', 1)[0] ?? '';
}
