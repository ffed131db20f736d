/** One request to the container engine: bounded in time, its failure in our words. */
import { ExecutionError } from '../execution-error.js';
import { within } from '../within.js';

/** Far beyond what a loaded engine takes; one that hangs must not hold a slot for ever. */
const ANSWER_TIMEOUT_MS = 180_000;

/** Throws ExecutionError engine-error, with the engine's own error as its cause. `what` completes "could not ...". */
export async function engineCall<T>(what: string, call: () => Promise<T>, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
  try {
    return await within(call(), timeoutMs, () => new Error(`no answer within ${timeoutMs / 1000} s`));
  } catch (cause) {
    throw new ExecutionError('engine-error', `The container engine could not ${what}: ${engineMessage(cause)}`, {
      cause,
    });
  }
}

/** HTTP status of the engine's answer, if that is what the error came from. */
export function engineStatus(error: unknown): number | undefined {
  const { statusCode } = ((error as { cause?: unknown }).cause ?? error) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : undefined;
}

export function engineMessage(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim();
}
