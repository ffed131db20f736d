/** What porin-init reports of denied calls when a payload makes it difficult: very many, very long, hidden ones. */
import { DenialList } from '#lib/execution';
import {
  compileFilter,
  DEFAULT_CEILING,
  engineDefaultNames,
  nodeArchitecture,
  plainRules,
  syscallName,
} from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { policyFor, runUnderInit } from '../support/init-container.js';
import { EPERM, NR, smallFilter } from '../support/small-filter.js';

const ARCHITECTURE = nodeArchitecture(process.arch);
const MILLION = 1_000_000;

describe('the report of denied calls', () => {
  it('is exact after a million of them, and grows while they are made', async () => {
    const counts: number[] = [];
    const filter = smallFilter({ denied: { [NR.openat]: EPERM } });
    const denials = new DenialList((position) => counts.push(denials.at(position)!.count));
    const { end } = await runUnderInit(policyFor(['repeat-open', String(MILLION)], { filter }), { denials });
    expect(end?.denials).toMatchObject([{ count: MILLION, description: 'openat("/etc/passwd", O_RDONLY|O_CLOEXEC)' }]);
    expect(end?.denialsDropped).toBe(0);
    // The first is the denial's own, the last the exact one; between them the payload was still running.
    expect(counts.length).toBeGreaterThan(2);
    expect(counts.at(-1)).toBe(MILLION);
    expect([...counts].sort((a, b) => a - b)).toEqual(counts);
  });

  it('stays under 64 KiB where each names two paths of 4,000 bytes, and no call goes uncounted', async () => {
    const filter = smallFilter({ denied: { [NR.renameat2]: EPERM } });
    const { end, bytesReceived } = await runUnderInit(policyFor(['long-paths', '1000'], { filter }));
    expect(bytesReceived).toBeLessThan(64 * 1024);
    const denials = end?.denials ?? [];
    expect(Buffer.byteLength(JSON.stringify(denials))).toBeLessThan(64 * 1024);
    expect(denials.length).toBeGreaterThan(20);
    expect(denials.length + (end?.denialsDropped ?? 0)).toBe(1000);
    expect(denials[0]?.description).toMatch(/^renameat2\("\/000000(\\u\{1\})+/);
  });

  it('tells how many calls found no room, and of which call, while they are made', async () => {
    const told: { atUs: number; dropped: number; call: string | undefined; listed: number }[] = [];
    const denials = new DenialList();
    const { end } = await runUnderInit(
      policyFor(['shapes', '150000'], { filter: smallFilter({ denied: { [NR.openat]: EPERM } }) }),
      {
        denials,
        handlers: {
          onTally: ({ atUs, dropped, lastDropped }) =>
            told.push({ atUs, dropped, call: lastDropped?.counted.call, listed: denials.dropped }),
        },
      },
    );
    expect(told.length).toBeGreaterThan(1);
    const last = told.at(-1)!;
    expect(last.call).toBe('openat');
    for (const [index, { atUs, dropped, listed }] of told.entries()) {
      expect(listed).toBe(dropped);
      expect(dropped).toBeGreaterThanOrEqual(told[index - 1]?.dropped ?? 0);
      expect(atUs).toBeGreaterThanOrEqual((told[index - 1]?.atUs ?? -1_000_000) + 1_000_000);
    }
    expect(last.atUs).toBeLessThanOrEqual(end!.exited.wallUs);
    expect(last.dropped).toBeLessThanOrEqual(2 * (150_000 - 256));
    expect(end?.denialsDropped).toBe(2 * (150_000 - 256));
  });

  it('has a path up to the end of its page, and says where there is no end', async () => {
    const filter = smallFilter({ denied: { [NR.openat]: EPERM } });
    const { end } = await runUnderInit(policyFor(['at-page-end'], { filter }));
    expect(end?.denials.map(({ description }) => description)).toEqual([
      'openat("/ok", O_RDONLY)',
      'openat(unreadable, O_RDONLY)',
    ]);
  });
});

describe('a profile learned without the calls that a libc falls back from', () => {
  const FALLEN_BACK_FROM = ['clone3', 'rseq', 'faccessat2'];
  // The engine must not answer in our place.
  const hostConfig = { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] };
  const options = {
    architecture: ARCHITECTURE,
    ceiling: DEFAULT_CEILING,
    engineDefault: [...engineDefaultNames(ARCHITECTURE), 'clone3'],
  } as const;

  it('runs a threaded program that tries them', async () => {
    const traced = policyFor(['threads', '4'], {
      filter: smallFilter({ notifyAll: true }),
      trace: { maximumBytes: MILLION },
    });
    const lines: string[] = [];
    await runUnderInit(traced, {
      hostConfig,
      handlers: {
        onTrace: (text) => {
          lines.push(...text.toString().trimEnd().split('\n'));
        },
      },
    });
    const names = new Set(lines.map((line) => syscallName(ARCHITECTURE, Number(line.split(' ')[2])) ?? line));
    expect([...names]).toEqual(expect.arrayContaining(FALLEN_BACK_FROM));

    // What it falls back to is in a profile that was learned on an older libc.
    const allowed = [...names, 'clone', 'newfstatat', 'geteuid', 'getegid', 'getuid', 'getgid', 'faccessat'].filter(
      (name) => !FALLEN_BACK_FROM.includes(name),
    );
    const filter = compileFilter({ ...options, enforcement: 'enforce', rules: plainRules(allowed) });
    const { end, output } = await runUnderInit(policyFor(['threads', '4'], { filter }), { hostConfig });
    expect(output).toBe('threads ok\n');
    expect(end?.exited.end).toEqual({ exitCode: 0 });
    expect(new Set(end?.denials.map(({ call, errno }) => `${call} ${errno ?? ''}`))).toEqual(
      new Set(FALLEN_BACK_FROM.map((name) => `${name} ENOSYS`)),
    );
  });
});
