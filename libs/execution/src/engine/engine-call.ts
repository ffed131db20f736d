/** One request to the container engine, its failure in our words. */
import { ExecutionError } from '../execution-error.js';
import { reasonInWords, toEngineError } from './engine-error.js';

/**
 * Throws ExecutionError engine-error, whose message says nothing of what the engine said; that is its cause. `what` completes
 * "could not ...".
 */
export async function engineCall<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const cause = toEngineError(error);
    throw new ExecutionError('engine-error', `it could not ${what}: ${reasonInWords(cause)}.`, { cause });
  }
}
