/** One pull, as the engine tells of it: a line of JSON for each step, and an answer 200 whatever comes of it. */
import { type Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import {
  engineErrorWithout,
  type RegistryCredential,
  registryHeaders,
  withoutCredential,
} from './registry-credential.js';

const LINE_BYTES = 256 * 1024;
const BEGIN_TIMEOUT_MS = 180_000;

/** What the engine says of a failure, which may be what the registry says: for the worker's log alone. */
export class PullFailure extends Error {
  override readonly name = 'PullFailure';
}

export interface PullRequest {
  /** With a tag or a digest. */
  readonly reference: string;
  readonly signal: AbortSignal;
  /** A step was told. */
  readonly onProgress: () => void;
  /** Without one, the pull is anonymous. */
  readonly credential?: RegistryCredential | undefined;
}

/** Throws PullFailure when the engine tells of one, EngineError when it does not keep to its protocol, or the signal's reason. */
export async function pullImage(engine: Engine, request: PullRequest): Promise<void> {
  const { reference, signal, onProgress, credential } = request;
  const body = await engine
    .stream({
      method: 'POST',
      path: ['images', 'create'],
      query: { fromImage: reference },
      headers: registryHeaders(credential),
      timeoutMs: BEGIN_TIMEOUT_MS,
      signal,
    })
    .catch((error: unknown) => {
      if (signal.aborted) throw error;
      throw engineErrorWithout(error, credential);
    });
  const onAbort = () => body.destroy(new EngineError('aborted', 'the pull was ended'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    let line = '';
    for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
      onProgress();
      const lines = (line + chunk).split('\n');
      line = lines.pop() ?? '';
      if (line.length > LINE_BYTES) throw new EngineError('too-large', 'a line of a pull has no end');
      for (const each of lines) throwFailure(each, credential);
    }
    throwFailure(line, credential);
  } finally {
    signal.removeEventListener('abort', onAbort);
    body.destroy();
  }
}

function throwFailure(line: string, credential: RegistryCredential | undefined): void {
  if (line.trim() === '') return;
  let step: unknown;
  try {
    step = JSON.parse(line);
  } catch {
    throw new EngineError('malformed', 'a step of a pull is not JSON');
  }
  const { error } = (step ?? {}) as { error?: unknown };
  if (error === undefined) return;
  throw new PullFailure(
    typeof error === 'string'
      ? withoutCredential(error, credential).slice(0, 1000)
      : 'the engine tells of a failure without words',
  );
}
