/** An application of its own for a test, with recorded jobs of it and the versions that are proposed from them. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type TestApi } from './api.js';
import { eventually } from './eventually.js';
import { type RecordedJobOptions, runRecordedJob } from './recorded-job.js';

export interface ListedProfile {
  id: string;
  number: number;
  digest: string;
  state: string;
}

export interface LearningKeys {
  readonly submitter: string;
  readonly admin: string;
}

export type LearningApplication = Awaited<ReturnType<typeof makeLearningApplication>>;

/** `run` runs a recorded job of it, `learn` enough of them for a proposal by default. */
export async function makeLearningApplication(
  api: TestApi,
  { keys, nodeId, settings = {} }: { keys: LearningKeys; nodeId: string; settings?: object },
) {
  const name = `app-${randomUUID()}`;
  const body = { name, image: 'porin/edf:1', ...settings };
  const { id } = (await api.post(keys.admin, '/api/v1/applications', body).expect(201)).body as { id: string };
  const run = (options: Partial<RecordedJobOptions>) =>
    runRecordedJob(api, { key: keys.submitter, application: name, nodeId, ...options });
  const profiles = async () =>
    (await api.get(keys.submitter, `/api/v1/applications/${id}/profiles`).expect(200)).body.profiles as ListedProfile[];
  const states = async () => (await profiles()).map(({ number, state }) => [number, state]);
  /** Waits for the version of that number and gives it. */
  const version = async (number: number): Promise<ListedProfile> => {
    await eventually(async () => expect((await profiles()).map((profile) => profile.number)).toContain(number));
    return (await profiles()).find((profile) => profile.number === number) as ListedProfile;
  };
  const learn = async (calls: string[], number = 1): Promise<ListedProfile> => {
    for (const inputsDigest of ['a', 'b', 'b']) await run({ inputsDigest, calls });
    return version(number);
  };
  /** Returns when the dispatcher has looked at everything that was recorded. */
  const settled = () =>
    eventually(async () => {
      const { rows } = await api.owner.query(
        `SELECT FROM recording JOIN executor_run AS run ON run.id = executor_run_id JOIN build ON build.id = build_id
         WHERE application_id = $1 AND (considered_at IS NULL OR reconsider_since IS NOT NULL)`,
        [id],
      );
      expect(rows).toHaveLength(0);
    });
  /** Returns when the dispatcher has looked at everything that was refused. */
  const judged = () =>
    eventually(async () => {
      const { rows } = await api.owner.query(
        `SELECT FROM executor_run AS run JOIN build ON build.id = build_id
         WHERE application_id = $1 AND denials_considered_at IS NULL`,
        [id],
      );
      expect(rows).toHaveLength(0);
    });
  return { id, name, run, profiles, states, version, learn, settled, judged };
}
