/** The thread that reads large recordings, one after another. See Recordings. */
import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { makeDataSource } from '#lib/database';
import { PorinError, type RequestErrorCode } from '../../errors/porin-error.js';
import { type EndRequest } from '#lib/config';
import { recordingText } from './read-recording.js';

/** From the API to the thread. */
export interface ReadRequest {
  readonly kind: 'read';
  readonly runId: string;
}
/** And back, one for each. */
export type ReadAnswer =
  | { readonly kind: 'read'; readonly text: Uint8Array }
  | { readonly kind: 'refused'; readonly code: RequestErrorCode; readonly message: string }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface ReadData {
  readonly databaseUrl: string;
}

const { databaseUrl } = workerData as ReadData;
const dataSource = makeDataSource({ url: databaseUrl, applicationName: 'porin-recordings', poolSize: 1 });
await dataSource.initialize();

async function read(runId: string): Promise<ReadAnswer> {
  try {
    return { kind: 'read', text: await recordingText(dataSource.manager, runId) };
  } catch (error) {
    // recordingText throws no other.
    if (error instanceof PorinError)
      return { kind: 'refused', code: error.code as RequestErrorCode, message: error.message };
    return { kind: 'failed', error };
  }
}

parentPort?.on('message', (request: ReadRequest | EndRequest) => {
  if (request.kind === 'read') {
    void read(request.runId).then((answer) => parentPort?.postMessage(answer));
  } else {
    parentPort?.close();
    void dataSource.destroy();
  }
});
