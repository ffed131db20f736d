/**
 * What a stolen node asks about the jobs of another: nothing is told, and nothing changes. The other node has something to be
 * found by each function, so that the check of the node is what keeps it: without it in any one function, something is.
 */
import { NODE_FUNCTIONS } from '#lib/database';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  call,
  CONTENT,
  digestOfContent,
  type HeldJob,
  INSUFFICIENT_PRIVILEGE,
  pin,
  TwoNodes,
} from '../support/stolen-node.js';

/** Of the node itself, or of no job. */
const OTHERS = [
  'node_schema',
  'node_clock',
  'node_register',
  'node_heartbeat',
  'node_end_probe',
  'node_open_session',
  'node_next_image',
  'node_store_image_check',
];
const ASKED = NODE_FUNCTIONS.map(({ name }) => name).filter(
  (name) => name.startsWith('node_') && !OTHERS.includes(name),
);
const REPOSITORY_DIGEST = `registry/tool@sha256:${'0'.repeat(64)}`;
/** What the thief's own node has of the tenant's. */
const THIEFS_DIGEST = `registry/tool@sha256:${'1'.repeat(64)}`;
const OTHER_CONTENT = JSON.stringify({ architecture: 'x86_64', layerDiffIds: ['sha256:b'] });
const OUTPUT = { path: '/out/a', url: 'file:///data/a' };
const NOTHING = [null, false, [], 'lost', 0, { open: false, started: false }];

type SqlFunction = (typeof NODE_FUNCTIONS)[number];

/** What a call names: a job of the victim's, its attempt, and what belongs to them. */
interface Target extends HeldJob {
  readonly number: number;
}

let two: TwoNodes;
/** By what they are there for. */
let targets: Readonly<Record<'running' | 'canceling' | 'publishing' | 'resumable' | 'left' | 'placed', Target>>;

beforeAll(async () => {
  two = await TwoNodes.make();
  await two.owner.query(
    `INSERT INTO tenant_setting (tenant, input_prefixes, unknown_content) VALUES ('t', '{file:///secret/}', 'learn')`,
  );
  await two.owner.query(`INSERT INTO node_image (node_id, tenant, repository_digest) VALUES ($1, 't', $2)`, [
    two.thief.id,
    THIEFS_DIGEST,
  ]);
  targets = {
    running: await runningJob(),
    canceling: await cancelingJob(),
    publishing: await publishingJob(),
    resumable: await resumableJob(),
    left: await leftJob(),
    placed: await placedJob(),
  };
});
afterAll(() => two.end());

const victims = <T>(name: string, input: object, ...more: unknown[]) =>
  call<T>(two.victim.client, name, input, ...more);

/** With an approved profile, a log, a staging, an image that came from a registry, and an executor that is still to be run. */
async function runningJob(): Promise<Target> {
  const job = await two.running(two.victim, { pinned: { repositoryDigest: REPOSITORY_DIGEST } });
  await two.owner.query(
    `INSERT INTO profile_version (build_id, number, digest, canonical, coverage, state, stage, statement, signature)
     VALUES ($1, 1, 'd', '{}', '{}', 'APPROVED', 'enforce', 's', 's')`,
    [job.buildId],
  );
  await two.owner.query(
    `INSERT INTO executor (job_id, position, application_id, image, command, build_id)
     SELECT job_id, 1, application_id, image, command, build_id FROM executor WHERE job_id = $1`,
    [job.jobId],
  );
  await victims('node_append_artifact', { runId: job.runId, kind: 'stdout', offset: 0 }, Buffer.from('secret'));
  await victims('node_begin_staging', { jobId: job.jobId, number: 1, leaseMs: 600_000, token: 'a-token' });
  await victims('node_use_image', { jobId: job.jobId, repositoryDigest: REPOSITORY_DIGEST, isNew: true });
  return { ...job, number: 1 };
}

/** Of another build of the application whose build has the approved profile, without one itself. */
async function cancelingJob(): Promise<Target> {
  const approved = await two.running(two.victim);
  await two.owner.query(
    `INSERT INTO profile_version (build_id, number, digest, canonical, coverage, state, stage, statement, signature)
     VALUES ($1, 1, 'd', '{}', '{}', 'APPROVED', 'enforce', 's', 's')`,
    [approved.buildId],
  );
  const { jobId, applicationId } = await two.claimed(two.victim, { applicationId: approved.applicationId });
  const build = await pin(two.victim.client, jobId, applicationId, { content: OTHER_CONTENT });
  await two.owner.query(`UPDATE job SET state = 'CANCELING' WHERE id = $1`, [jobId]);
  return { jobId, applicationId, buildId: build?.id ?? '', runId: approved.runId, number: 1 };
}

/** With a manifest, and a run that has ended. */
async function publishingJob(): Promise<Target> {
  const job = await two.running(two.victim, { outputs: [OUTPUT] });
  const result = { outcome: 'exited', exitCode: 0, landlockStatus: 'NOT_ENFORCED', denialsDropped: 0 };
  await victims('node_finish_run', { runId: job.runId, result, artifacts: [], denials: [], phasesMs: { payload: 1 } });
  const key = { jobId: job.jobId, number: 1, leaseMs: 600_000 };
  await victims('node_begin_staging', { ...key, token: 'a-token' });
  const manifest = [{ ...OUTPUT, sha256: '0'.repeat(64), bytes: 1, temporary: '.porin-a-token-0.part' }];
  if ((await victims('node_commit_publication', { ...key, end: null, manifest })) !== 'held') throw new Error('lost');
  return { ...job, number: 1 };
}

/** With a manifest of an earlier attempt. */
async function resumableJob(): Promise<Target> {
  const job = await publishingJob();
  const { jobId } = job;
  await victims('node_fail_publication', {
    jobId,
    number: 1,
    code: 'output-upload-failed',
    message: 'm',
    published: [],
  });
  await two.owner.query(`UPDATE job SET state = 'QUEUED', fence = 2, dispatched_fence = 2 WHERE id = $1`, [jobId]);
  if ((await victims('node_claim', { jobId, attempt: 2, leaseMs: 600_000 })) === null) throw new Error('not claimed');
  return { ...job, number: 2 };
}

/** That has ended, and whose staging is still to be removed. */
async function leftJob(): Promise<Target> {
  const job = await two.running(two.victim);
  const key = { jobId: job.jobId, number: 1, leaseMs: 600_000 };
  await victims('node_begin_staging', { ...key, token: 'a-token' });
  await victims('node_fail', { ...key, code: 'exit-code', message: 'm' });
  return { ...job, number: 1 };
}

async function placedJob(): Promise<Target> {
  const applicationId = await two.makeApplication();
  const jobId = await two.placedJob(two.victim.id, applicationId);
  return { jobId, applicationId, buildId: jobId, runId: jobId, number: 1 };
}

/** Every call that could get something of it. */
function inputOf(name: string, { number, ...target }: Target): object {
  const key = { ...target, number, attempt: number, position: 0, leaseMs: 600_000, token: 'a-token' };
  const denial = { position: 0, call: 'bpf', shape: {}, action: 'refused', description: 'd', count: 1 };
  const result = { outcome: 'exited', exitCode: 0, landlockStatus: 'NOT_ENFORCED', denialsDropped: 0 };
  const inputs: Record<string, object> = {
    node_fail: { code: 'exit-code', message: 'm' },
    node_hold: { reason: 'waiting-for-known-content' },
    node_hold_for_decision: { code: 'denied', message: 'm' },
    node_commit_publication: { end: null, manifest: [] },
    node_complete_publication: { published: [OUTPUT.url] },
    node_go_on_publishing: { published: [OUTPUT.url] },
    node_fail_publication: { code: 'output-upload-failed', message: 'm', published: [OUTPUT.url] },
    node_pin_build: { content: CONTENT, repositoryDigest: null },
    node_content_standing: { contentDigest: digestOfContent(CONTENT), layers: ['sha256:a'] },
    node_start_run: {
      ...{ id: '00000000-0000-4000-8000-000000000001', position: 1, enforcement: 'none', monitoring: 'none' },
      ...{ selectionReason: 'r', filterDigest: 'f', inputsDigest: 'i', dataDigest: 'd', nodeFacts: {} },
    },
    node_write_denials: { denials: [denial] },
    node_finish_run: { result, artifacts: [], denials: [], phasesMs: {} },
    node_add_phases: { phasesMs: { upload: 1 } },
    node_append_artifact: { kind: 'stdout', offset: 6 },
    node_images_by_last_use: { repositoryDigests: [REPOSITORY_DIGEST] },
    node_tenant_images: { repositoryDigests: [REPOSITORY_DIGEST, THIEFS_DIGEST] },
    node_use_image: { repositoryDigest: THIEFS_DIGEST, isNew: true },
    node_give_up_images: { repositoryDigests: [REPOSITORY_DIGEST, THIEFS_DIGEST] },
    node_uses_any_image: { repositoryDigests: [REPOSITORY_DIGEST] },
  };
  return { ...key, ...inputs[name] };
}

const moreOf = (name: string): readonly Buffer[] => (name === 'node_append_artifact' ? [Buffer.from('forged')] : []);

/** Whether the session of this role gets anything by the function; nothing of it stays. */
async function getsAnything(name: string, role: string, changed: readonly SqlFunction[] = []): Promise<boolean> {
  const { owner } = two;
  await owner.query('BEGIN');
  try {
    for (const { sql } of changed) await owner.query(sql.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION'));
    const before = await two.everythingElse();
    for (const target of Object.values(targets)) {
      await owner.query(`SAVEPOINT before; SET SESSION AUTHORIZATION ${role}`);
      const answer = await call(owner, name, inputOf(name, target), ...moreOf(name)).then(
        (value) => value,
        (error: Error) => error,
      );
      if (answer instanceof Error) {
        await owner.query('ROLLBACK TO before');
        continue;
      }
      await owner.query('RESET SESSION AUTHORIZATION');
      if (!NOTHING.some((nothing) => JSON.stringify(nothing) === JSON.stringify(answer))) return true;
    }
    return (await two.everythingElse()) !== before;
  } finally {
    await owner.query('ROLLBACK');
  }
}

/** The functions with what asks for the node taken out of each in turn, by the name of the one that is changed. */
const CHECKS = [
  /(?:\w+\.)?node_id = porin\.calling_node\(\)/g,
  /job\.placed_node_id = node\.id/g,
  /porin\.(?:own_run|hold_attempt|holds_job|holds_build)\((?:[^()]|\([^()]*\))*\)/g,
];
const without: readonly SqlFunction[] = NODE_FUNCTIONS.flatMap(({ name, sql }) => {
  const [head = '', body = '', tail = ''] = sql.split('$function$');
  const changed = CHECKS.reduce((text, check) => text.replace(check, 'true'), body);
  return changed === body ? [] : [{ name, sql: [head, changed, tail].join('$function$') }];
});

describe('a node that asks about the jobs of another', () => {
  it('is told nothing, and changes nothing', async () => {
    const before = await two.everythingElse();
    for (const name of ASKED) {
      for (const [of, target] of Object.entries(targets)) {
        const answer = await call(two.thief.client, name, inputOf(name, target), ...moreOf(name)).catch(
          (error: { code: string }) => error.code,
        );
        expect([...NOTHING, INSUFFICIENT_PRIVILEGE], `${name} of the ${of} job`).toContainEqual(answer);
      }
    }
    expect(await two.everythingElse()).toBe(before);
    const { jobId } = targets.running;
    expect(await victims('node_renew', { jobId, number: 1, leaseMs: 60_000 })).toBe('held');
  });

  it.each(ASKED)('would get something by %s, were it the other', async (name) => {
    expect(await getsAnything(name, roleOf(two.victim.client))).toBe(true);
    expect(await getsAnything(name, roleOf(two.thief.client))).toBe(false);
  });

  it('is kept from it by a check of the node in every function that needs one', () => {
    const names = without.map(({ name }) => name);
    expect(ASKED.filter((name) => !names.includes(name))).toEqual([
      // By a helper that is among them.
      ...['node_peek', 'node_claim', 'node_complete', 'node_fail', 'node_hold', 'node_hold_for_decision'],
      ...['node_tenant_images', 'node_use_image', 'node_give_up_images'],
    ]);
  });

  it.each(without.map((changed) => [changed.name, changed] as const))(
    'gets something without the check in %s',
    async (name, changed) => {
      const callers = name.startsWith('node_')
        ? [name]
        : ASKED.filter((each) => sqlOf(each).includes(`porin.${name}(`));
      expect(callers).not.toEqual([]);
      for (const caller of callers) {
        expect([caller, await getsAnything(caller, roleOf(two.thief.client), [changed])]).toEqual([caller, true]);
      }
    },
  );
});

function roleOf({ user }: pg.Client): string {
  return user ?? '';
}

function sqlOf(name: string): string {
  return NODE_FUNCTIONS.find((each) => each.name === name)?.sql ?? '';
}
