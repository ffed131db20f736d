/** The thread that considers large builds, one after another: what takes seconds must not hold up placement. See LargeBuilds. */
import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { makeDataSource } from '#lib/database';
import { type EndRequest } from '#lib/config';
import { type Consideration, considerBuild, type LearningSettings } from '#lib/store';
import { holdEpoch } from '../leadership.js';

/** From the dispatcher to the thread. */
export interface ThreadRequest {
  readonly kind: 'consider';
  readonly buildId: string;
}
/** And back, one for each build. */
export type ThreadAnswer =
  | { readonly kind: 'considered'; readonly consideration: Consideration }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface ThreadData {
  readonly databaseUrl: string;
  readonly settings: LearningSettings;
  /** Of the leader that asks: nothing is written when another one leads. */
  readonly epoch: string;
}

const { databaseUrl, settings, epoch } = workerData as ThreadData;
const dataSource = makeDataSource({ url: databaseUrl, applicationName: 'porin-considering', poolSize: 1 });
await dataSource.initialize();

async function consider(buildId: string): Promise<ThreadAnswer> {
  try {
    const consideration = await dataSource.transaction(async (manager) => {
      const found = await considerBuild(manager, buildId, settings);
      await holdEpoch(manager, epoch);
      return found;
    });
    return { kind: 'considered', consideration };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

parentPort?.on('message', (request: ThreadRequest | EndRequest) => {
  if (request.kind === 'consider') {
    void consider(request.buildId).then((answer) => parentPort?.postMessage(answer));
  } else {
    parentPort?.close();
    void dataSource.destroy();
  }
});
