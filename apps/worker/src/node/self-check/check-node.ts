/** The checks of a node: what was read of it, against its settings. */
import { type NodeProblem } from './node-problem.js';
import { openVulnerabilities, type RuncReading } from './runc-vulnerabilities.js';
import { idsTaken, type UserIdFiles } from './user-ids.js';

export interface NodeReadings {
  /** Why the node cannot record. */
  readonly recorderProblem: string | undefined;
  /** Of Docker; undefined for another engine, whose versions say nothing here. */
  readonly dockerVersion: string | undefined;
  readonly engineCores: number;
  readonly engineMemoryBytes: number;
  /** Absent where the engine runs containers with another program. */
  readonly runc: RuncReading | undefined;
  /** Of the file system of PORIN_WORK_DIR: what is free, and what jobs have taken of what they were promised. */
  readonly diskForJobsBytes: number;
  /** This node's clock less the database's. */
  readonly clockAheadMs: number;
  readonly userIds: UserIdFiles;
}

export interface NodeSettings {
  readonly slots: number;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly baseUid: number;
  /** Patterns of registries and of local images that jobs may run. */
  readonly imagePatterns: number;
}

/** The first Engine whose containers have cgroup namespaces, and that Debian still mends. */
const ENGINE_MINIMUM = [20, 10] as const;
const CLOCK_LIMIT_MS = 5_000;
const MIB = 1024 ** 2;

type Finding = Omit<NodeProblem, 'check' | 'severe'> & { readonly severe?: true };
type Check = (readings: NodeReadings, settings: NodeSettings) => Finding | undefined;

const NODE_CHECKS: Readonly<Record<NodeProblem['check'], Check>> = {
  recorder: ({ recorderProblem }) =>
    recorderProblem === undefined
      ? undefined
      : {
          problem: `System calls cannot be recorded: ${recorderProblem}`,
          advice: 'Jobs that must be watched fail here. See docs/operations.md, "The recorder is not available".',
        },

  engine({ dockerVersion }) {
    if (dockerVersion === undefined) return undefined;
    const [major = 0, minor = 0] = dockerVersion.split('.').map(Number);
    const [needMajor, needMinor] = ENGINE_MINIMUM;
    if (!(major < needMajor || (major === needMajor && minor < needMinor))) return undefined;
    return {
      problem: `The container engine is version ${dockerVersion}.`,
      advice: `Upgrade it to ${ENGINE_MINIMUM.join('.')} or newer.`,
    };
  },

  runc({ runc }) {
    const open = runc ? openVulnerabilities(runc) : [];
    if (open.length === 0) return undefined;
    return {
      problem: `runc ${runc?.version} has known vulnerabilities: ${open.join(', ')}.`,
      advice: 'Upgrade runc, or containerd.io where it brings runc, and restart the engine.',
    };
  },

  disk({ diskForJobsBytes }, { diskBytes }) {
    if (diskForJobsBytes >= diskBytes) return undefined;
    return {
      problem: `PORIN_WORK_DIR has ${mebibytes(diskForJobsBytes)} for jobs, and PORIN_DISK_BYTES promises them ${mebibytes(diskBytes)}.`,
      advice: 'Make room, or lower PORIN_DISK_BYTES.',
    };
  },

  clock({ clockAheadMs }) {
    if (Math.abs(clockAheadMs) <= CLOCK_LIMIT_MS) return undefined;
    const seconds = Math.round(Math.abs(clockAheadMs) / 1000);
    return {
      problem: `The clock is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} the database's.`,
      advice: 'Keep both by NTP (chrony or systemd-timesyncd).',
    };
  },

  cores({ engineCores }, { cpuMilli }) {
    if (cpuMilli <= engineCores * 1000) return undefined;
    return {
      severe: true,
      problem: `PORIN_CPU_MILLI is ${cpuMilli}, and the engine has ${engineCores} cores.`,
      advice: `Set PORIN_CPU_MILLI to ${engineCores * 1000} or less: no container can have more.`,
    };
  },

  memory({ engineMemoryBytes }, { memoryBytes }) {
    if (memoryBytes <= engineMemoryBytes) return undefined;
    return {
      severe: true,
      problem: `PORIN_MEMORY_BYTES is ${mebibytes(memoryBytes)}, and the engine has ${mebibytes(engineMemoryBytes)}.`,
      advice: `Set PORIN_MEMORY_BYTES to ${engineMemoryBytes} or less: the kernel would kill payloads that keep within their limits.`,
    };
  },

  images: (_readings, { imagePatterns }) =>
    imagePatterns > 0
      ? undefined
      : {
          problem: 'No job may run here: neither PORIN_IMAGE_REGISTRIES nor PORIN_LOCAL_IMAGES allows an image.',
          advice: 'Name the registries, or the images that the engine has. See docs/operations.md, "Images".',
        },

  'user-ids'({ userIds }, { baseUid, slots }) {
    const range = { first: baseUid, last: baseUid + slots - 1 };
    const taken = idsTaken(range, userIds);
    if (taken.length === 0) return undefined;
    return {
      severe: true,
      problem: `The uids ${range.first} to ${range.last} of its slots are taken by ${taken.join(', ')}.`,
      advice: 'Whoever has them could read inputs and kill payloads. Set PORIN_BASE_UID to the start of a free range.',
    };
  },
};

/** In the order of the checks. */
export function checkNode(readings: NodeReadings, settings: NodeSettings): readonly NodeProblem[] {
  return Object.entries(NODE_CHECKS).flatMap(([check, find]) => {
    const finding = find(readings, settings);
    return finding ? [{ check: check as NodeProblem['check'], severe: false, ...finding }] : [];
  });
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / MIB)} MiB`;
}
