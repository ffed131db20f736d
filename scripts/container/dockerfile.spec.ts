/** The Dockerfile's shape: it cannot be built where the tests run, for want of a registry. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** Instructions by stage; those before the first FROM are under ''. */
function readStages(text: string): Map<string, Instruction[]> {
  const stages = new Map<string, Instruction[]>([['', []]]);
  let current = '';
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ');
  for (const line of lines.split('\n')) {
    const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (word === 'FROM') {
      current = / AS (\S+)$/.exec(rest)?.[1] ?? '';
      stages.set(current, []);
    }
    stages.get(current)?.push({ word, rest });
  }
  return stages;
}

const stages = readStages(readFileSync('Dockerfile', 'utf8'));
const of = (stage: string, word: string) =>
  (stages.get(stage) ?? []).filter((instruction) => instruction.word === word).map(({ rest }) => rest);

describe('the Dockerfile', () => {
  it('starts every stage from one pinned image of a Node that Porin runs on', () => {
    const image = /^NODE_IMAGE=node:(\d+)\.(\d+)\.\d+-bookworm-slim$/.exec(of('', 'ARG')[0] ?? '');
    const [major = 0, minor = 0] = (image ?? []).slice(1).map(Number);
    expect(major * 100 + minor).toBeGreaterThanOrEqual(2019);
    // Odd lines get no long-term support, and Node 20 ended in April 2026.
    expect([major % 2, major >= 22 && major <= 26]).toEqual([0, true]);
    const froms = [...stages.keys()].filter((stage) => stage !== '').flatMap((stage) => of(stage, 'FROM'));
    expect(froms.map((from) => from.replace(/ AS .*/, ''))).toEqual(froms.map(() => '${NODE_IMAGE}'));
  });

  it('has the stages that docker-compose.yml builds', () => {
    const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
      services: Record<string, { build?: { target: string } }>;
    };
    const targets = Object.values(services).flatMap(({ build }) => (build ? [build.target] : []));
    expect(targets).toEqual(['api', 'api', 'api', 'worker']);
    expect([...stages.keys()]).toEqual(expect.arrayContaining(targets));
  });

  it('runs the API as an ordinary user', () => {
    expect(of('api', 'USER')).toEqual(['10001:10001']);
  });

  it('copies what is there, and what .dockerignore lets through', () => {
    const ignore = readFileSync('.dockerignore', 'utf8').split('\n');
    expect(ignore).toContain('*');
    const sources = [...stages.keys()]
      .flatMap((stage) => of(stage, 'COPY'))
      .filter((copy) => !copy.startsWith('--from='))
      .flatMap((copy) => copy.split(/\s+/).slice(0, -1));
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((source) => !existsSync(source))).toEqual([]);
    expect(sources.filter((source) => !ignore.includes(`!${source}`))).toEqual([]);
  });

  it('compiles to where package.json looks for the libraries, without the tests', () => {
    const compile = "swc apps libs migrations --out-dir .porin/dist --quiet --ignore '**/*spec.ts'";
    expect(of('build', 'RUN').join('\n')).toContain(compile);
    const { imports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      imports: Record<string, { default: string }>;
    };
    expect(imports['#lib/*']?.default).toBe('./.porin/dist/libs/*/src/index.js');
  });

  it('starts programs that are there', () => {
    expect(of('api', 'CMD')[0]).toContain('.porin/dist/apps/api/src/main.js');
    expect(existsSync('apps/api/src/main.ts')).toBe(true);
    expect(of('worker', 'CMD')).toEqual(['["start-worker"]']);
    expect(of('worker', 'COPY')).toContain('scripts/container/start-worker.sh /usr/local/bin/start-worker');
    expect(statSync('scripts/container/start-worker.sh').mode & 0o111).toBe(0o111);
  });
});
