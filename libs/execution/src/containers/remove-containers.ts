/** Clears away containers that a worker left behind. */
import type Docker from 'dockerode';
import { ExecutionError } from '../execution-error.js';
import { engineCall, engineStatus } from './engine-call.js';

const NOT_FOUND = 404;
const CONFLICT = 409;

/**
 * Removes, running or not, every container that carries all these labels. Resolves to their number.
 *
 * @throws ExecutionError engine-error, after all were tried
 */
export async function removeContainers(docker: Docker, labels: Readonly<Record<string, string>>): Promise<number> {
  const filters = { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) };
  // No label would mean every container of the machine.
  if (filters.label.length === 0) throw new ExecutionError('engine-error', 'Containers are removed by labels only.');
  const found = await engineCall('list containers', () => docker.listContainers({ all: true, filters }));
  const results = await Promise.allSettled(found.map(({ Id }) => remove(docker, Id)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return found.length;
}

async function remove(docker: Docker, id: string): Promise<void> {
  try {
    await engineCall(`remove the container ${id}`, () => docker.getContainer(id).remove({ force: true, v: true }));
  } catch (error) {
    // Gone, or its removal is under way.
    if (engineStatus(error) !== NOT_FOUND && engineStatus(error) !== CONFLICT) throw error;
  }
}
