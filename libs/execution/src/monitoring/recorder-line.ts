/** The lines porin-recorder writes, parsed strictly (docs/recorder-protocol.md). */
import { isDetailKind, parseDetail, type RecorderDetail } from './recorder-detail.js';
import { RECORDER_ERROR_CODES, type RecorderErrorCode } from './recorder-error.js';
import { unexpected, wholeNumber } from './recorder-words.js';

/** Names and order of the facts on a `counts` or `finished` line, before `calls`. */
const FACTS = [
  'others',
  'started',
  'empty',
  'execs',
  'foreign',
  'map-failures',
  'misses',
  'supervisor',
  'before-start',
  'compat',
  'x32',
  'unknown',
  'overflows',
  'ring-failures',
  'unresolved',
  'tasks',
] as const;

/** What the kernel counted for one recording. */
export type RecorderFacts = Readonly<Record<(typeof FACTS)[number], number>> & {
  /** Count by native system call number. */
  readonly calls: ReadonlyMap<number, number>;
};

export type RecorderLine =
  | { readonly kind: 'ready'; readonly version: string; readonly features: readonly string[] }
  | { readonly kind: 'armed'; readonly runId: string; readonly others: number }
  | { readonly kind: 'counts'; readonly runId: string; readonly facts: RecorderFacts }
  | { readonly kind: 'finished'; readonly runId: string; readonly facts: RecorderFacts }
  | RecorderDetail
  | { readonly kind: 'disarmed'; readonly runId: string }
  | { readonly kind: 'error'; readonly code: RecorderErrorCode; readonly message: string };

/** @throws RecorderError `protocol` for any line that is not one of the protocol. */
export function parseRecorderLine(line: string): RecorderLine {
  const words = line.split(' ');
  const [kind, second] = words;
  if (kind === 'error') return parseError(words, line);
  if (kind === 'ready' && second !== undefined && /^\d+\.\d+$/.test(second)) {
    return { kind, version: second, features: words.slice(2) };
  }
  if (second === undefined || !/^[\w-]{1,64}$/.test(second)) throw unexpected(line);
  if (kind === 'disarmed' && words.length === 2) return { kind, runId: second };
  if (kind === 'armed' && words.length === 3) return { kind, runId: second, others: factOf(words[2], 'others', line) };
  if (isDetailKind(kind)) return parseDetail(words, line);
  if (kind === 'counts' || kind === 'finished') return { kind, runId: second, facts: parseFacts(words.slice(2), line) };
  throw unexpected(line);
}

function parseError(words: readonly string[], line: string): RecorderLine {
  const code = RECORDER_ERROR_CODES.find((known) => known === words[1]);
  if (code === undefined || words.length < 3) throw unexpected(line);
  return { kind: 'error', code, message: words.slice(2).join(' ') };
}

function parseFacts(words: readonly string[], line: string): RecorderFacts {
  const calls = words[FACTS.length];
  if (words.length !== FACTS.length + 1 || !calls?.startsWith('calls=')) throw unexpected(line);
  const facts = Object.fromEntries(FACTS.map((name, at) => [name, factOf(words[at], name, line)]));
  return {
    ...(facts as Record<(typeof FACTS)[number], number>),
    calls: parseCalls(calls.slice('calls='.length), line),
  };
}

function parseCalls(text: string, line: string): ReadonlyMap<number, number> {
  const calls = new Map<number, number>();
  for (const pair of text === '' ? [] : text.split(',')) {
    const [number, count, ...rest] = pair.split(':');
    const key = wholeNumber(number, line);
    if (rest.length > 0 || calls.has(key)) throw unexpected(line);
    calls.set(key, wholeNumber(count, line));
  }
  return calls;
}

function factOf(word: string | undefined, name: string, line: string): number {
  if (!word?.startsWith(`${name}=`)) throw unexpected(line);
  return wholeNumber(word.slice(name.length + 1), line);
}
