/** The lines that come before a `finished` line: what a recording holds beside its counts (docs/recorder-protocol.md). */
import { FILE_ACCESSES, type FileAccess, type Hex, type SocketUse } from '#lib/profiles';
import { unexpected, wholeNumber } from './recorder-words.js';

/** Calls of one number with the same values; `errno` 0: those that entered the kernel. */
export interface UseDetail {
  readonly kind: 'use';
  readonly runId: string;
  readonly number: number;
  readonly errno: number;
  readonly count: number;
  readonly values: Readonly<Record<string, Hex>>;
}

/** `errno` 0: success. */
export interface FileDetail {
  readonly kind: 'file';
  readonly runId: string;
  readonly access: FileAccess;
  readonly errno: number;
  readonly resolved: boolean;
  readonly count: number;
  readonly path: Buffer;
}

export interface SocketDetail {
  readonly kind: 'socket';
  readonly runId: string;
  readonly operation: SocketUse['operation'];
  readonly errno: number;
  readonly count: number;
  /** struct sockaddr. */
  readonly address: Buffer;
}

/** Calls that never entered the kernel, because a filter answered them. */
export interface RefusedDetail {
  readonly kind: 'refused';
  readonly runId: string;
  readonly number: number;
  readonly errno: number;
  readonly count: number;
}

export type RecorderDetail = UseDetail | FileDetail | SocketDetail | RefusedDetail;

const DETAIL_KINDS = ['use', 'file', 'socket', 'refused'] as const satisfies readonly RecorderDetail['kind'][];

export function isDetailKind(kind: string | undefined): boolean {
  return DETAIL_KINDS.some((known) => known === kind);
}

export function isDetail(line: { readonly kind: string }): line is RecorderDetail {
  return isDetailKind(line.kind);
}

const OPERATIONS = ['connect', 'bind', 'send'] as const satisfies readonly SocketUse['operation'][];
const MAX_ERRNO = 4095;
/** PATH_MAX, and the room that a path made by the recorder may need beyond it. */
const MAX_PATH_BYTES = 8192;
/** struct sockaddr_storage. */
const MAX_ADDRESS_BYTES = 128;

/**
 * @param words of the line, the first of which is a detail's kind and the second a run's id.
 * @throws RecorderError `protocol`
 */
export function parseDetail(words: readonly string[], line: string): RecorderDetail {
  const [kind, runId = '', ...rest] = words;
  if (kind === 'use' && rest.length === 4) return { kind, runId, ...parseUse(rest, line) };
  if (kind === 'file' && rest.length === 5) return { kind, runId, ...parseFile(rest, line) };
  if (kind === 'socket' && rest.length === 4) return { kind, runId, ...parseSocket(rest, line) };
  if (kind === 'refused' && rest.length === 3) return { kind, runId, ...parseRefused(rest, line) };
  throw unexpected(line);
}

function parseRefused(words: readonly string[], line: string): Omit<RefusedDetail, 'kind' | 'runId'> {
  const [number, errno, count] = words;
  const detail = { number: wholeNumber(number, line), errno: errnoOf(errno, line), count: wholeNumber(count, line) };
  if (detail.errno === 0) throw unexpected(line);
  return detail;
}

function parseUse([number, errno, count, values]: readonly string[], line: string): Omit<UseDetail, 'kind' | 'runId'> {
  return {
    number: wholeNumber(number, line),
    errno: errnoOf(errno, line),
    count: wholeNumber(count, line),
    values: parseValues(values, line),
  };
}

function parseFile(words: readonly string[], line: string): Omit<FileDetail, 'kind' | 'runId'> {
  const [access, errno, resolved, count, path] = words;
  if (resolved !== '0' && resolved !== '1') throw unexpected(line);
  const bytes = fromBase64(path, MAX_PATH_BYTES, line);
  if (bytes.length === 0 || bytes.includes(0)) throw unexpected(line);
  return {
    access: oneOf(FILE_ACCESSES, access, line),
    errno: errnoOf(errno, line),
    resolved: resolved === '1',
    count: wholeNumber(count, line),
    path: bytes,
  };
}

function parseSocket(words: readonly string[], line: string): Omit<SocketDetail, 'kind' | 'runId'> {
  const [operation, errno, count, address] = words;
  return {
    operation: oneOf(OPERATIONS, operation, line),
    errno: errnoOf(errno, line),
    count: wholeNumber(count, line),
    address: fromBase64(address, MAX_ADDRESS_BYTES, line),
  };
}

function parseValues(text: string | undefined, line: string): Readonly<Record<string, Hex>> {
  const values: Record<string, Hex> = {};
  if (text === '-') return values;
  let last = -1;
  for (const pair of text?.split(',') ?? []) {
    const [, argument, value] = /^([0-5]):(0x(?:0|[1-9a-f][\da-f]{0,15}))$/.exec(pair) ?? [];
    if (argument === undefined || Number(argument) <= last) throw unexpected(line);
    last = Number(argument);
    values[argument] = value as Hex;
  }
  if (last < 0) throw unexpected(line);
  return values;
}

function errnoOf(text: string | undefined, line: string): number {
  const errno = wholeNumber(text, line);
  if (errno > MAX_ERRNO) throw unexpected(line);
  return errno;
}

function oneOf<Word extends string>(known: readonly Word[], text: string | undefined, line: string): Word {
  const word = known.find((each) => each === text);
  if (word === undefined) throw unexpected(line);
  return word;
}

/** Node's own decoder passes over what is not base64. */
function fromBase64(text: string | undefined, maximum: number, line: string): Buffer {
  const bytes = Buffer.from(text ?? '', 'base64');
  if (text === undefined || bytes.length > maximum || bytes.toString('base64') !== text) throw unexpected(line);
  return bytes;
}
