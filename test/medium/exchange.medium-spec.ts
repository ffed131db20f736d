/** Holds the export to libseccomp, which container runtimes make their filters with. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ARCHITECTURES,
  AUDIT_ARCH,
  exportOci,
  interpret,
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
} from '#lib/profiles';
import {
  argumentsByChance,
  callOf,
  Chance,
  type Decision,
  decideExport,
  profileByChance,
} from '../../libs/profiles/src/exchange/oci.fixture.js';
import { compileOracle, engineProgram, libseccompTable } from '../support/libseccomp.js';

beforeAll(compileOracle);

const decided = (verdict: number): Decision => {
  const action = (verdict & SECCOMP_RET_ACTION_FULL) >>> 0;
  if (action === SECCOMP_RET_ALLOW) return 0;
  return action === SECCOMP_RET_ERRNO ? verdict & SECCOMP_RET_DATA : 'killed';
};

describe.each(ARCHITECTURES)('the filter that libseccomp makes of an export for %s', (architecture) => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'decides as the rules say, for profile %i by chance',
    (seed) => {
      const chance = new Chance(1000 + seed);
      const profile = profileByChance(architecture, chance);
      const oci = exportOci(profile);
      const program = engineProgram(architecture, oci);
      expect(program.length).toBeLessThan(4096);
      const known = libseccompTable(architecture);
      const wrong: string[] = [];
      for (const name of known.keys()) {
        const rules = oci.syscalls.filter(({ names }) => names.includes(name)).length;
        for (let times = rules > 1 ? 60 : 1; times > 0; times -= 1) {
          const data = callOf(architecture, name, argumentsByChance(profile, name, chance));
          const [theirs, ours] = [decided(interpret(program, data)), decideExport(oci, architecture, data)];
          if (theirs !== ours) wrong.push(`${name}(${data.args.join()}): libseccomp ${theirs}, rules ${ours}`);
        }
      }
      expect(wrong).toEqual([]);
      const read = callOf(architecture, 'read', []);
      for (const arch of [0x40000003, 0x40000028, AUDIT_ARCH[architecture === 'x86_64' ? 'aarch64' : 'x86_64']]) {
        expect(decided(interpret(program, { ...read, arch }))).toBe('killed');
      }
      for (const nr of [-1, 900, 0x40000000]) {
        const data = { ...read, nr };
        expect(decided(interpret(program, data))).toBe(decideExport(oci, architecture, data));
      }
    },
  );
});
