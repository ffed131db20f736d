/** Clears away containers that a worker left behind. */
import { ExecutionError } from '../execution-error.js';
import { containerListAnswer } from '../engine/answers.js';
import { type Engine } from '../engine/engine.js';
import { engineCall } from '../engine/engine-call.js';
import { engineStatus } from '../engine/engine-error.js';

const NOT_FOUND = 404;
const CONFLICT = 409;
/** Each has the labels of its image too. */
const LIST_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Removes, running or not, every container that carries all these labels. Resolves to their number.
 *
 * @throws ExecutionError engine-error, after all were tried
 */
export async function removeContainers(engine: Engine, labels: Readonly<Record<string, string>>): Promise<number> {
  const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  // No label would mean every container of the machine.
  if (label.length === 0) throw new ExecutionError('engine-error', 'Containers are removed by labels only.');
  const found = await engineCall('list containers', () =>
    engine.json(containerListAnswer, {
      method: 'GET',
      path: ['containers', 'json'],
      query: { all: 'true', filters: JSON.stringify({ label }) },
      limitBytes: LIST_LIMIT_BYTES,
    }),
  );
  const results = await Promise.allSettled(found.map(({ Id }) => remove(engine, Id)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return found.length;
}

async function remove(engine: Engine, id: string): Promise<void> {
  try {
    await engineCall(`remove the container ${id}`, () =>
      engine.send({ method: 'DELETE', path: ['containers', id], query: { force: 'true', v: 'true' } }),
    );
  } catch (error) {
    // Gone, or its removal is under way.
    if (engineStatus(error) !== NOT_FOUND && engineStatus(error) !== CONFLICT) throw error;
  }
}
