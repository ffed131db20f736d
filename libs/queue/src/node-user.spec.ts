import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { redisUserRules } from './node-user.js';

const rules = redisUserRules('0b7f', 'ab'.repeat(32));
const SCRIPTS = join(dirname(createRequire(import.meta.url).resolve('bullmq')), 'scripts');
/** What a worker calls while it takes messages and ends them. */
const OF_A_WORKER = [
  'moveToActive-11',
  'moveToFinished-14',
  'moveStalledJobsToWait-9',
  'extendLocks-1',
  'extendLock-2',
];

describe('the user of a node', () => {
  it('may run each command of the scripts that a worker calls', () => {
    const missing = OF_A_WORKER.flatMap((script) => {
      const text = readFileSync(join(SCRIPTS, `${script}.js`), 'utf8');
      const commands = [...text.matchAll(/(?:rcall|redis\.call)\(["']([A-Za-z]+)/g)].map(([, name = '']) =>
        name.toLowerCase(),
      );
      expect(commands.length).toBeGreaterThan(1);
      return commands.filter((name) => !rules.includes(`+${name}`));
    });
    expect([...new Set(missing)]).toEqual([]);
  });

  it('starts from nothing and has one pattern of keys', () => {
    expect(rules.slice(0, 2)).toEqual(['reset', 'on']);
    expect(rules.indexOf('-@all')).toBeLessThan(rules.findIndex((rule) => rule.startsWith('+')));
    expect(rules.filter((rule) => rule.startsWith('~'))).toEqual(['~bull:porin-jobs-0b7f:*']);
    expect(rules.filter((rule) => /^[+&]@|^&|^(allkeys|allcommands|allchannels|nopass)$/.test(rule))).toEqual([]);
  });
});
