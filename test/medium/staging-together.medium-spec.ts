/** All inputs of a job together: one bound for bytes of every scheme, held to while they come. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InputReference } from '#lib/jobs';
import { JobInputs, stageInput, type StagingRules } from '#lib/staging';
import { S3_START_MS, S3Server } from '../../scripts/services/s3-server.js';
import { HttpServer } from '../support/http-server.js';
import { selfSigned } from '../support/self-signed.js';
import { codeOf, jobErrorOf, rulesWith, Tree } from '../support/staging.js';

/** Of each input. */
const BYTES = 600;
const CONTENT = 'x'.repeat(BYTES);
const never = new AbortController().signal;
const { key, certificate } = selfSigned('127.0.0.1');

let s3: S3Server;
let drs: Server;
let http: HttpServer;
let tree: Tree;

beforeAll(async () => {
  s3 = await S3Server.start();
  s3.makeBucket('lab');
  for (const name of ['a', 'run/a', 'run/b']) s3.write('lab', name, CONTENT.slice(0, name === 'a' ? BYTES : BYTES / 2));
  drs = createServer({ key, cert: certificate }, (_request, response) =>
    response.end(JSON.stringify({ access_methods: [{ type: 'https', access_url: { url: http.url('/chunked') } }] })),
  );
  await new Promise<void>((resolve) => drs.listen(0, '127.0.0.1', resolve));
}, S3_START_MS);
afterAll(async () => {
  await s3.stop();
  drs.closeAllConnections();
  await new Promise((resolve) => drs.close(resolve));
});

beforeEach(async () => {
  tree = new Tree();
  tree.directory('staged');
  tree.write('data/a', CONTENT);
  for (const name of ['a', 'b']) tree.write(`data/run/${name}`, CONTENT.slice(0, BYTES / 2));
  const archive = execFileSync('tar', ['-C', tree.path('data/run'), '-cz', '.']);
  tree.write('data/a.tgz', archive);
  http = await HttpServer.start({
    '/announced': (_request, response) => response.end(CONTENT),
    '/chunked': (_request, response) => {
      response.write(CONTENT.slice(0, 10));
      response.end(CONTENT.slice(10));
    },
    '/a.tgz': (_request, response) => response.end(archive),
    '/endless': (_request, response) => {
      const more = () => {
        while (response.write(CONTENT));
        response.once('drain', more);
      };
      more();
    },
  });
});
afterEach(async () => {
  await http.stop();
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

function rules(jobInputsLimitBytes: number): StagingRules {
  return rulesWith({
    inputPrefixes: ['s3://lab/', `${tree.url('data')}/`, http.url('/'), `drs://127.0.0.1:${drsPort()}/`],
    credentials: [s3.credential('s3://lab/')],
    s3Endpoints: [s3.endpoint('s3://lab/')],
    allowPrivateAddresses: true,
    authorities: certificate,
    jobInputsLimitBytes,
  });
}

const drsPort = () => (drs.address() as AddressInfo).port;
/** Stages inputs of one job, of which each is told its place. */
const stager = (limitBytes: number, count: number) => {
  const inputs = new JobInputs(rules(limitBytes), count);
  const stage = (input: Partial<InputReference>, place: number) =>
    stageInput(
      { path: `/in/${place}`, ...input },
      join(tree.root, `staged/${place}`),
      rules(limitBytes),
      never,
      inputs,
    );
  return { inputs, stage };
};

describe('the inputs of a job', () => {
  it.each<[string, () => Partial<InputReference>]>([
    ['content', () => ({ content: CONTENT })],
    ['a file', () => ({ url: tree.url('data/a') })],
    ['a directory', () => ({ url: tree.url('data/run'), type: 'DIRECTORY' })],
    ['an archive', () => ({ url: tree.url('data/a.tgz'), type: 'DIRECTORY' })],
    ['an archive over HTTP', () => ({ url: http.url('/a.tgz'), type: 'DIRECTORY' })],
    ['what an HTTP server announces', () => ({ url: http.url('/announced') })],
    ['what an HTTP server does not announce', () => ({ url: http.url('/chunked') })],
    ['an object of S3', () => ({ url: 's3://lab/a' })],
    ['a directory of S3', () => ({ url: 's3://lab/run/', type: 'DIRECTORY' })],
    ['an object of DRS', () => ({ url: `drs://127.0.0.1:${drsPort()}/a` })],
  ])('may be as large as their bound, and no larger: %s', async (_what, input) => {
    const within = stager(2 * BYTES, 3);
    await within.stage({ content: CONTENT }, 0);
    await within.stage(input(), 1);
    expect(within.inputs.progress).toEqual({ inputs: 2, bytes: 2 * BYTES, totalBytes: null });
    const beyond = stager(2 * BYTES - 1, 2);
    await beyond.stage({ content: CONTENT }, 2);
    expect(await codeOf(beyond.stage(input(), 3))).toBe('inputs-too-large');
    expect(existsSync(join(tree.root, 'staged/3'))).toBe(false);
  });

  it('are held to it where they come side by side and without an end', async () => {
    const { stage } = stager(10_000_000, 2);
    const outcomes = [0, 1].map((place) => codeOf(stage({ url: http.url('/endless') }, place)));
    expect(await Promise.all(outcomes)).toEqual(['inputs-too-large', 'inputs-too-large']);
    expect(tree.list('staged')).toEqual([]);
  });

  it('are refused before they come where what is announced does not fit', async () => {
    const { stage } = stager(BYTES, 2);
    await stage({ content: 'x' }, 0);
    const refused = await jobErrorOf(stage({ url: `${http.url('/announced')}?token=1` }, 1));
    expect(refused.message).toBe(
      `The inputs do not fit: with ${http.url('/announced')} for /in/1 they have at least ${BYTES + 1} bytes together, and all inputs of a job may have ${BYTES}.`,
    );
  });

  it('have 100,000 names in directories together', async () => {
    for (let index = 0; index < 300; index++) tree.write(`data/many/${index}`, '');
    const { inputs, stage } = stager(BYTES, 2);
    const other = inputs.begin({ url: 'file:///data', path: '/in/data' });
    for (let name = 0; name < 99_701; name++) other.takeName();
    const refused = await jobErrorOf(stage({ url: tree.url('data/many'), type: 'DIRECTORY' }, 0));
    expect([refused.code, refused.message]).toEqual([
      'input-directory',
      expect.stringContaining('the directories among the inputs hold more than 100,000 names together'),
    ]);
  });
});
