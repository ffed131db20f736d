/** The thread that considers large builds, one after another: what takes seconds must not hold up requests. See LargeBuilds. */
import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { makeDataSource } from '#lib/database';
import { type EndRequest } from '../../threads/idle-thread.js';
import { type Consideration, considerBuild, type LearningSettings } from '../../profiles/propose/propose.js';

/** From the API to the thread. */
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
}

const { databaseUrl, settings } = workerData as ThreadData;
const dataSource = makeDataSource({ url: databaseUrl, applicationName: 'porin-considering', poolSize: 1 });
await dataSource.initialize();

async function consider(buildId: string): Promise<ThreadAnswer> {
  try {
    const consideration = await dataSource.transaction((manager) => considerBuild(manager, buildId, settings));
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
