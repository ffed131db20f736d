/** What attacks leave among the outputs, under a profile that allows everything, and what of it is published. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeArchitecture, type Profile, syscallNames } from '#lib/profiles';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { codeOf, publishOutput, rulesWith } from '../support/staging.js';
import { AttackRuns, PROGRAM } from './attack-runs.js';

const ARCHITECTURE = nodeArchitecture(process.arch);
const EVERYTHING: Profile = {
  version: 1,
  architecture: ARCHITECTURE,
  rules: [{ names: [...syscallNames(ARCHITECTURE)].sort(), action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
};
let runs: AttackRuns;
let published: string;

beforeAll(async () => {
  runs = await AttackRuns.create();
  published = join(runs.runs.directory, 'published');
  mkdirSync(published);
});

afterAll(async () => {
  expect(await runs.runs.leftContainers()).toEqual([]);
  await runs.close();
});

function publish(directory: string, name: string) {
  const url = pathToFileURL(published).href;
  return publishOutput(
    { url: `${url}/${name.replaceAll('/', '-')}`, path: `/out/${name}` },
    { directory, name },
    {
      rules: rulesWith({ outputPrefixes: [url] }),
      limitBytes: 2 ** 30,
      signal: new AbortController().signal,
      beforeCommit: () => Promise.resolve(),
    },
  );
}

it('are refused where they are links or pipes, and published without their mode where they are files', async () => {
  await runs.enforce(EVERYTHING, [PROGRAM, 'output-links'], {
    afterwards: async (directory) => {
      expect(readlinkSync(join(directory, 'link'))).toBe('/etc/shadow');
      expect(await codeOf(publish(directory, 'link'))).toBe('output-is-link');
      expect(await codeOf(publish(directory, 'tree/passwd'))).toBe('output-outside');
      expect(await codeOf(publish(directory, 'pipe'))).toBe('output-not-regular');
      expect(await codeOf(publish(directory, 'hard'))).toBe('output-missing');
      expect(statSync(join(directory, 'program')).mode & 0o7777).toBe(0o4755);
      await publish(directory, 'program');
      await publish(directory, 'result');
    },
  });
  expect(readdirSync(published).sort()).toEqual(['program', 'result']);
  expect(statSync(join(published, 'program')).mode & 0o7000).toBe(0);
  expect(readFileSync(join(published, 'result'), 'utf8')).toMatch(/^[0-9a-f]{16}\n$/);
});

it('are no more changed once they are looked at, whatever the payload left running', async () => {
  await runs.enforce(EVERYTHING, [PROGRAM, 'output-race'], {
    afterwards: async (directory) => {
      expect(await runs.runs.leftContainers()).toEqual([]);
      const path = join(directory, 'flip');
      const before = existsSync(path) || lstatSync(path, { throwIfNoEntry: false }) ? lstatSync(path).ino : null;
      for (let i = 0; i < 1000; i += 1) {
        expect(lstatSync(path, { throwIfNoEntry: false })?.ino ?? null).toBe(before);
      }
      if (before === null) expect(await codeOf(publish(directory, 'flip'))).toBe('output-missing');
      else if (lstatSync(path).isSymbolicLink())
        expect(await codeOf(publish(directory, 'flip'))).toBe('output-is-link');
      else expect(await publish(directory, 'flip')).toMatchObject({ bytes: 0 });
    },
  });
});

it('hold no core dump of a program that crashed', async () => {
  const run = await runs.enforce(EVERYTHING, [PROGRAM, 'core-dump'], { workingDirectory: '/out' });
  expect(run.says).toMatchObject({ crash: 'signal-11' });
  expect(run.outputs).toEqual(['result']);
});

it('reach nobody who listens on an abstract name of the host', async () => {
  const connections: unknown[] = [];
  const server = createServer((connection) => connections.push(connection)).listen('\0porin-attack');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const run = await runs.enforce(EVERYTHING, [PROGRAM, 'abstract']);
    expect(run.says).toMatchObject({ socket: 'ok', connect: 'ECONNREFUSED' });
    expect(connections).toEqual([]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
