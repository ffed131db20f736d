/** Whether values are kept from everything that anybody could look into. */
import { expect } from 'vitest';
import { allKeys, allRows, filesWith, foundIn } from './find-text.js';
import { type Grid, type TestWorker } from './grid.js';

export interface Places {
  readonly grid: Grid;
  /** By the names of their nodes. */
  readonly workers: readonly (readonly [node: string, worker: TestWorker])[];
  /** Ids of jobs. */
  readonly jobs: readonly string[];
}

export async function expectNowhere(values: readonly string[], places: Places): Promise<void> {
  for (const [where, text] of Object.entries(await everything(places))) {
    expect({ where, found: foundIn(text, values) }).toEqual({ where, found: [] });
  }
  for (const [node] of places.workers) expect(filesWith(places.grid.workDirectory(node), values)).toEqual([]);
}

/** Of a job that runs: its container, as the engine tells of it. */
export async function inspectContainer({ docker }: Grid, jobId: string): Promise<string> {
  const [container] = await docker.listContainers({ filters: { label: [`porin.job=${jobId}`] } });
  if (!container) throw new Error('it does not run');
  return JSON.stringify(await docker.getContainer(container.Id).inspect());
}

async function everything({ grid, workers, jobs }: Places): Promise<Readonly<Record<string, string>>> {
  const answers = [];
  for (const id of jobs) {
    answers.push(JSON.stringify(await grid.job(id)), await grid.log(id), await grid.log(id, 'stderr'));
    answers.push((await grid.http('get', `/ga4gh/tes/v1/tasks/${id}?view=FULL`).expect(200)).text);
  }
  return {
    rows: await allRows(grid.api.owner),
    redis: await allKeys(grid.redisUrl),
    'log of the API and the dispatcher': grid.api.log,
    ...Object.fromEntries(workers.map(([node, { log }], index) => [`log of worker ${index} of ${node}`, log])),
    answers: [...answers, (await grid.http('get', '/api/v1/secrets').expect(200)).text].join('\n'),
  };
}
