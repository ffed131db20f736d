/** The lines porin-init sends, parsed strictly; docs/control-channel.md is the grammar. */
import { type LandlockStatus } from '#lib/profiles';
import { FOREIGN_ABIS, type ForeignProgram } from '../executor-run.js';
import { ControlChannelError } from './control-error.js';

export const PROTOCOL_VERSION = 5;

export interface Hello {
  readonly kind: 'hello';
  readonly protocol: number;
  readonly token: string;
  readonly initVersion: string;
  readonly kernel: string;
  /** 0 where the kernel has no Landlock. */
  readonly landlockAbi: number;
  readonly pid: number;
}

/** Where the start of a payload can fail, in order. `supervisor`, `policy` and `go` are never the payload's fault. */
export const FAILURE_STAGES = [
  'policy',
  'go',
  'supervisor',
  'session',
  'rlimit',
  'directory',
  'stdin',
  'lookup',
  'landlock',
  'filter',
  'exec',
] as const;
export type FailureStage = (typeof FAILURE_STAGES)[number];

/** The payload has been executed. */
export interface Started {
  readonly kind: 'started';
  readonly landlockStatus: LandlockStatus;
}

export interface Failed {
  readonly kind: 'failed';
  readonly stage: FailureStage;
  readonly errno: number;
}

/** A program for another ABI than the machine's 64-bit one has made a call, or was to be the payload; told of the first. */
export interface ForeignProgramSeen {
  readonly kind: 'foreign-program';
  readonly program: ForeignProgram;
}

/** Calls of other ABIs than the machine's 64-bit one, none of which was made. */
export interface ForeignCalls {
  readonly kind: 'foreign-calls';
  /** Of a 32-bit architecture: i386, 32-bit Arm. */
  readonly compat: number;
  readonly x32: number;
}

/** A string that a call's argument points to. */
export type PointedTo =
  | { readonly kind: 'path'; readonly argument: number; readonly bytes: Buffer }
  /** The beginning of a longer path. */
  | { readonly kind: 'cut'; readonly argument: number; readonly bytes: Buffer }
  | { readonly kind: 'address'; readonly argument: number; readonly bytes: Buffer }
  | { readonly kind: 'unreadable'; readonly argument: number };

/** The first call of one shape that was denied; `id` counts up from 0. */
export interface RawDenial {
  readonly kind: 'denial';
  readonly id: number;
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly auditArch: number;
  /** As the caller gave it, a 32-bit signed number. */
  readonly number: number;
  readonly action: 'refused' | 'killed';
  /** 0 unless refused. */
  readonly errno: number;
  /** Six 64-bit values. */
  readonly arguments: readonly bigint[];
  readonly pointedTo: readonly PointedTo[];
}

/** The trace is complete. */
export interface Traced {
  readonly kind: 'traced';
  readonly calls: number;
  /** Of them, the last ones, which the trace's maximum left out. */
  readonly callsBeyondMaximum: number;
}

/** Ends what is told of denied calls at one moment: the counts before it are all that have grown. */
export interface Tally {
  readonly kind: 'tally';
  /** Since the payload's execve. */
  readonly atUs: number;
  /** Denied calls that found no room in the report. */
  readonly dropped: number;
  /** The id of the first denial of the call that was dropped last. */
  readonly lastDropped: number | undefined;
}

export interface Exited {
  readonly kind: 'exited';
  readonly end: { readonly exitCode: number } | { readonly signal: number };
  readonly wallUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly maxRssKib: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

export type ControlMessage =
  | Hello
  | { readonly kind: 'ready' }
  | Started
  | Failed
  | RawDenial
  | ForeignProgramSeen
  | ForeignCalls
  | { readonly kind: 'trace'; readonly text: Buffer }
  | Traced
  | { readonly kind: 'count'; readonly id: number; readonly count: number }
  | Tally
  | { readonly kind: 'dropped'; readonly count: number }
  | Exited;

const DECIMAL = String.raw`(0|[1-9]\d{0,15})`;
const HEX = String.raw`(0x[0-9a-f]{1,16})`;
const BASE64 = '[A-Za-z0-9+/]+={0,2}';
const POINTED_TO = `(?:path|cut|address|unreadable):[0-5]:(?:-|${BASE64})`;

const HELLO = new RegExp(`^hello ${DECIMAL} (\\S+) (\\S+) (\\S+) ${DECIMAL} ${DECIMAL}$`);
const FAILED = new RegExp(`^failed ([a-z]+) ${DECIMAL}$`);
const DENIAL = new RegExp(
  `^denial ${DECIMAL} ${HEX} ${DECIMAL} (refused|killed) ${DECIMAL}((?: ${HEX}){6})((?: ${POINTED_TO}){0,2})$`,
);
const FOREIGN_PROGRAM = new RegExp(`^foreign-program (${FOREIGN_ABIS.join('|')}) (${BASE64})$`);
const FOREIGN_CALLS = new RegExp(`^foreign-calls ${DECIMAL} ${DECIMAL}$`);
const TRACE = new RegExp(`^trace (${BASE64})$`);
const TRACED = new RegExp(`^traced ${DECIMAL} ${DECIMAL}$`);
const COUNT = new RegExp(`^count ${DECIMAL} ${DECIMAL}$`);
const TALLY = new RegExp(`^tally ${DECIMAL} ${DECIMAL} (?:-|${DECIMAL})$`);
const DROPPED = new RegExp(`^dropped ${DECIMAL}$`);
const EXITED = new RegExp(`^exited (code|signal)${` ${DECIMAL}`.repeat(7)}$`);

const LANDLOCK_STATUS: Readonly<Record<string, LandlockStatus>> = {
  'started none': 'NOT_ENFORCED',
  'started partially': 'PARTIALLY_ENFORCED',
  'started fully': 'FULLY_ENFORCED',
};

/** Throws ControlChannelError `malformed-line` for anything that is not exactly a message. */
export function parseControlMessage(line: string): ControlMessage {
  const message = parse(line);
  if (message === undefined) {
    throw new ControlChannelError('malformed-line', `porin-init sent a line that is no message: ${excerpt(line)}`);
  }
  return message;
}

function parse(line: string): ControlMessage | undefined {
  if (line === 'ready') return { kind: 'ready' };
  switch (line.slice(0, line.indexOf(' '))) {
    case 'hello':
      return parseHello(line);
    case 'started': {
      const landlockStatus = LANDLOCK_STATUS[line];
      return landlockStatus && { kind: 'started', landlockStatus };
    }
    case 'failed':
      return parseFailed(line);
    case 'denial':
      return parseDenial(line);
    case 'foreign-program':
      return parseForeignProgram(line);
    case 'foreign-calls': {
      const match = FOREIGN_CALLS.exec(line);
      return match ? { kind: 'foreign-calls', compat: Number(match[1]), x32: Number(match[2]) } : undefined;
    }
    case 'trace': {
      const match = TRACE.exec(line);
      return match ? { kind: 'trace', text: Buffer.from(match[1] ?? '', 'base64') } : undefined;
    }
    case 'traced': {
      const match = TRACED.exec(line);
      return match ? { kind: 'traced', calls: Number(match[1]), callsBeyondMaximum: Number(match[2]) } : undefined;
    }
    case 'count': {
      const match = COUNT.exec(line);
      return match ? { kind: 'count', id: Number(match[1]), count: Number(match[2]) } : undefined;
    }
    case 'tally':
      return parseTally(line);
    case 'dropped': {
      const match = DROPPED.exec(line);
      return match ? { kind: 'dropped', count: Number(match[1]) } : undefined;
    }
    case 'exited':
      return parseExited(line);
    default:
      return undefined;
  }
}

function parseHello(line: string): Hello | undefined {
  const match = HELLO.exec(line);
  if (!match) return undefined;
  const [, protocol, token = '', initVersion = '', kernel = '', landlockAbi, pid] = match;
  return {
    kind: 'hello',
    protocol: Number(protocol),
    token,
    initVersion,
    kernel: Buffer.from(kernel, 'base64').toString(),
    landlockAbi: Number(landlockAbi),
    pid: Number(pid),
  };
}

function parseFailed(line: string): Failed | undefined {
  const match = FAILED.exec(line);
  const stage = FAILURE_STAGES.find((name) => name === match?.[1]);
  return match && stage ? { kind: 'failed', stage, errno: Number(match[2]) } : undefined;
}

function parseDenial(line: string): RawDenial | undefined {
  const match = DENIAL.exec(line);
  if (!match) return undefined;
  const [, id, auditArch, number, action, errno, values = '', , details = ''] = match;
  return {
    kind: 'denial',
    id: Number(id),
    auditArch: Number(auditArch),
    number: Number(number) | 0,
    action: action as RawDenial['action'],
    errno: Number(errno),
    arguments: values.trim().split(' ').map(BigInt),
    pointedTo: details.trim() === '' ? [] : details.trim().split(' ').map(parsePointedTo),
  };
}

function parseForeignProgram(line: string): ForeignProgramSeen | undefined {
  const match = FOREIGN_PROGRAM.exec(line);
  const abi = FOREIGN_ABIS.find((word) => word === match?.[1]);
  const path = Buffer.from(match?.[2] ?? '', 'base64').toString();
  return match && abi ? { kind: 'foreign-program', program: { abi, path } } : undefined;
}

function parsePointedTo(text: string): PointedTo {
  const [kind, argument, value = ''] = text.split(':');
  if (kind === 'unreadable') return { kind, argument: Number(argument) };
  const bytes = Buffer.from(value === '-' ? '' : value, 'base64');
  return { kind: kind === 'path' || kind === 'cut' ? kind : 'address', argument: Number(argument), bytes };
}

function parseTally(line: string): Tally | undefined {
  const match = TALLY.exec(line);
  if (!match) return undefined;
  const [, atUs, dropped, id] = match;
  return {
    kind: 'tally',
    atUs: Number(atUs),
    dropped: Number(dropped),
    lastDropped: id === undefined ? undefined : Number(id),
  };
}

function parseExited(line: string): Exited | undefined {
  const match = EXITED.exec(line);
  if (!match) return undefined;
  const [value = 0, wallUs = 0, userUs = 0, systemUs = 0, maxRssKib = 0, voluntary = 0, involuntary = 0] = match
    .slice(2)
    .map(Number);
  return {
    kind: 'exited',
    end: match[1] === 'code' ? { exitCode: value } : { signal: value },
    wallUs,
    userUs,
    systemUs,
    maxRssKib,
    voluntarySwitches: voluntary,
    involuntarySwitches: involuntary,
  };
}

/** Safe to put in a log: bounded, and with control characters escaped. The token never gets here: hello has matched. */
function excerpt(line: string): string {
  return JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}...` : line);
}
