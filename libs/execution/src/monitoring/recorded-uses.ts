/** From the recorder's details to the lists of a recording: named, added up and sorted. */
import { isUtf8 } from 'node:buffer';
import { type Architecture, type ArgumentUse, type FileUse, type SocketUse, syscallName } from '#lib/profiles';
import { socketAddress } from '../sandbox/socket-address.js';
import { recordedErrno } from './recorded-errno.js';
import {
  type FileDetail,
  type RecorderDetail,
  type RefusedDetail,
  type SocketDetail,
  type UseDetail,
} from './recorder-detail.js';

const BACKSLASH = 0x5c;

/** A list, and the count of what could not be put into words: a text that is not UTF-8, which no JSON and no rule holds. */
interface Worded<Use> {
  readonly uses: readonly Use[];
  readonly unreadable: number;
}

/** @param calls counts by number, for calls that are told apart by nothing but their failures. */
export function argumentUses(
  details: readonly RecorderDetail[],
  calls: ReadonlyMap<number, number>,
  architecture: Architecture,
): readonly ArgumentUse[] {
  const byValues = new Map<string, ArgumentUse>();
  for (const detail of details.filter((each): each is UseDetail => each.kind === 'use')) {
    const call = syscallName(architecture, detail.number);
    if (call === undefined) continue;
    const key = `${call} ${JSON.stringify(detail.values)}`;
    const entered = Object.keys(detail.values).length === 0 ? (calls.get(detail.number) ?? 0) : 0;
    const use = byValues.get(key) ?? { call, values: detail.values, count: entered, failures: {} };
    byValues.set(key, withCount(use, detail));
  }
  return sorted(byValues);
}

/**
 * Name -> errno's name -> how often. A number without a name is left out: no profile can hold it, and as the call did not
 * enter the kernel it is no hole in the recording either.
 */
export function refusedCalls(
  details: readonly RecorderDetail[],
  architecture: Architecture,
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const byCall = new Map<string, Map<string, number>>();
  for (const detail of details.filter((each): each is RefusedDetail => each.kind === 'refused')) {
    const call = syscallName(architecture, detail.number);
    if (call === undefined) continue;
    const byErrno = byCall.get(call) ?? new Map<string, number>();
    const errno = recordedErrno(detail.errno);
    byCall.set(call, byErrno.set(errno, (byErrno.get(errno) ?? 0) + detail.count));
  }
  return Object.fromEntries(byName(byCall).map(([call, byErrno]) => [call, Object.fromEntries(byName(byErrno))]));
}

export function fileUses(details: readonly RecorderDetail[]): Worded<FileUse> {
  const files = details.filter((each): each is FileDetail => each.kind === 'file');
  return worded(files, ({ path, access, errno, resolved, count }) => {
    const { text, exact } = decoded(path);
    return { exact, use: { path: text, access, result: resultOf(errno), resolved: resolved && exact, count } };
  });
}

export function socketUses(details: readonly RecorderDetail[]): Worded<SocketUse> {
  const sockets = details.filter((each): each is SocketDetail => each.kind === 'socket');
  return worded(sockets, ({ operation, errno, address, count }) => {
    const { family, name } = socketAddress(address);
    const { text, exact } = decoded(name);
    return { exact, use: { operation, family, address: text, result: resultOf(errno), count } };
  });
}

function withCount(use: ArgumentUse, { errno, count }: UseDetail): ArgumentUse {
  if (errno === 0) return { ...use, count: use.count + count };
  const name = recordedErrno(errno);
  return { ...use, failures: { ...use.failures, [name]: (use.failures[name] ?? 0) + count } };
}

/** Details of the same words become one use. */
function worded<Detail, Use extends { readonly count: number }>(
  details: readonly Detail[],
  toUse: (detail: Detail) => { readonly use: Use; readonly exact: boolean },
): Worded<Use> {
  const byWords = new Map<string, Use>();
  let unreadable = 0;
  for (const detail of details) {
    const { use, exact } = toUse(detail);
    if (!exact) unreadable += use.count;
    const key = Object.entries(use)
      .filter(([name]) => name !== 'count')
      .map(([, value]) => JSON.stringify(value))
      .join(' ');
    byWords.set(key, { ...use, count: use.count + (byWords.get(key)?.count ?? 0) });
  }
  return { uses: sorted(byWords), unreadable };
}

function sorted<Use>(byKey: ReadonlyMap<string, Use>): Use[] {
  return byName(byKey).map(([, use]) => use);
}

function byName<Value>(values: ReadonlyMap<string, Value>): [string, Value][] {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Where it is not UTF-8, the bytes of no character and backslashes stand as `\xNN`, so that it is still told apart. */
function decoded(bytes: Buffer): { readonly text: string; readonly exact: boolean } {
  if (isUtf8(bytes)) return { text: bytes.toString('utf8'), exact: true };
  let escaped = '';
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    escaped +=
      length === 0 || bytes[at] === BACKSLASH
        ? `\\x${bytes.toString('hex', at, at + 1)}`
        : bytes.toString('utf8', at, at + length);
    at += Math.max(length, 1);
  }
  return { text: escaped, exact: false };
}

/** In bytes; 0 where none begins. */
function characterLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    const part = bytes.subarray(at, at + length);
    if (isUtf8(part)) return length;
  }
  return 0;
}

function resultOf(errno: number): string {
  return errno === 0 ? 'ok' : recordedErrno(errno);
}
