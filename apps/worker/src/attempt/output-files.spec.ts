import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSelection, outputDirectory, type OutputReference } from '#lib/jobs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outputFiles } from './output-files.js';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'porin-outputs-'));
  mkdirSync(join(scratch, 'd'));
  for (const name of ['a', 'b', 'd/a']) writeFileSync(join(scratch, name), name);
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** What the payload left in /out. */
async function found(...outputs: readonly OutputReference[]) {
  const nameOf = (output: OutputReference) => (isSelection(output) ? outputDirectory(output) : output.path);
  const { files, problems } = await outputFiles({ inputs: [], outputs }, (output) => ({
    directory: scratch,
    name: nameOf(output).slice('/out/'.length),
  }));
  return {
    files: files.map(({ output, path, url }) => `${output} ${path} ${url}`),
    problems: problems.map(({ code, message }) => `${code}: ${message}`),
  };
}
const whole = (url: string): OutputReference => ({ path: '/out', url, type: 'DIRECTORY' });
const matching = (path: string, url: string): OutputReference => ({ path, pathPrefix: '/out', url });

describe('the files of outputs', () => {
  it('are of each output that selects them, at its own URL', async () => {
    expect(
      await found(whole('file:///x'), matching('/out/d/*', 's3://bucket/y'), { path: '/out/a', url: 'file:///z' }),
    ).toEqual({
      files: [
        '2 /out/a file:///z',
        ...['0 /out/a file:///x/a', '0 /out/b file:///x/b', '0 /out/d/a file:///x/d/a'],
        '1 /out/d/a s3://bucket/y/d/a',
      ],
      problems: [],
    });
  });

  it('are once at one URL: of the output that names them, else of the first', async () => {
    const named = { path: '/out/a', url: 'file:///x/a' };
    expect((await found(whole('file:///x'), named, matching('/out/*', 'file:///x'))).files).toEqual([
      ...['1 /out/a file:///x/a', '0 /out/b file:///x/b', '0 /out/d/a file:///x/d/a'],
    ]);
  });

  it.each([
    ['two of them', [matching('/out/a', 'file:///x'), { path: '/out/b', url: 'file:///x/a' }]],
    ['one of them in two spellings', [matching('/out/a', 'http://h/x'), { path: '/out/a', url: 'http://h/x/%61' }]],
  ])('are refused where %s would go to one place', async (_what, outputs) => {
    const { problems } = await found(...outputs);
    expect(problems).toEqual([expect.stringMatching(/^output-refused: .* goes to the same place\.$/)]);
  });
});
