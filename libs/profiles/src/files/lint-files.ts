/** What a reviewer should look at in a profile's file rules, with the reason for each. */
import { hasInvisible, visible } from '../kernel/visible-text.js';
import { type FileRule } from '../model/files.js';
import { type Coverage, type Profile } from '../model/profile.js';
import { ALWAYS_GRANTED } from './always-granted.js';
import { isBoundary, isShell } from './areas.js';
import { fileCoverageKey } from './learn-files.js';
import { isAtOrBelow } from './paths.js';
import { byPath, rightsAt } from './rights.js';
import { isRare } from '../review/rarity.js';

export interface FileWarning {
  /** "file:" and the rule's path, in which what does not show is written out. */
  readonly name: string;
  readonly kind: 'risky' | 'rare';
  readonly reason: string;
}

/** Path -> what reading it, or a tree that it is in, gives away. */
const TELLING: Readonly<Record<string, string>> = {
  '/etc/passwd': "names the image's users; C libraries look the payload's own up",
  '/etc/shadow': 'holds passwords',
  '/etc/gshadow': 'holds passwords',
  '/etc/sudoers': 'says who may become root',
  '/root': 'is where root keeps keys and histories',
  '/home': 'is where people keep keys and histories',
  '/run/secrets': 'is where container engines put secrets',
  '/proc/1': 'shows what porin-init does',
  '/proc/keys': 'shows the keys of the kernel',
  '/proc/kallsyms': 'helps to attack the kernel',
};
const SECRET_DIRECTORY = /\/\.(?:ssh|gnupg|aws|azure|kube|docker|config\/gcloud)(?:\/|$)/;
const PROGRAM_DIRECTORIES = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];
const WRITABLE_ANYWAY: ReadonlySet<string> = new Set(
  ALWAYS_GRANTED.filter(({ rights }) => rights.includes('write')).map(({ path }) => path),
);

/** In the order of the rules. `coverage`: that of fileCoverage, beside that of the calls. */
export function lintFiles({ files = [] }: Profile, coverage: Coverage = {}): readonly FileWarning[] {
  // With what is granted anyway, which may be what makes a rule's own rights dangerous.
  const all = byPath([...files, ...ALWAYS_GRANTED]);
  return files.flatMap((rule) => {
    const key = fileCoverageKey(rule.path);
    const name = visible(key);
    const reasons = risksOf({ path: rule.path, rights: rightsAt(all, rule.path) });
    return [
      ...reasons.map((reason): FileWarning => ({ name, kind: 'risky', reason })),
      ...rareIn(name, Object.hasOwn(coverage, key) ? coverage[key] : undefined),
    ];
  });
}

function risksOf({ path, rights }: FileRule): string[] {
  const has = (right: FileRule['rights'][number]) => rights.includes(right);
  const isListed = rights.length === 1 && has('list');
  const risks = [
    hasInvisible(path) && 'has characters that do not show, and may not be the path that it looks like',
    isBoundary(path) && !isListed && `grants ${rights.join(', ')} in a whole tree of unrelated files`,
    isBoundary(path) && isListed && 'shows the names of all files in it, and not what is in them',
    (has('write') || has('create')) &&
      !WRITABLE_ANYWAY.has(path) &&
      'is changed outside of outputs and temporary places',
    (has('write') || has('create')) && has('execute') && 'can be written and then executed, a program of any making',
    has('execute') && isShell(path) && 'is a shell, which starts whatever else may be executed',
    has('execute') && holdsPrograms(path) && 'lets every program of a directory be executed',
    has('read') &&
      path === '/proc' &&
      'shows all processes of the payload, their memory maps and environment, and porin-init',
  ];
  return [...risks.filter((risk) => risk !== false), ...(has('read') ? tellingOf(path) : [])];
}

function tellingOf(path: string): readonly string[] {
  if (SECRET_DIRECTORY.test(path)) return ['is where programs keep keys'];
  const within = Object.keys(TELLING).filter((telling) => telling !== path && isAtOrBelow(telling, path));
  if (within.length > 0) return [`lets ${within.join(', ')} be read, which are in it`];
  const telling = Object.keys(TELLING).find((known) => isAtOrBelow(path, known));
  return telling === undefined ? [] : [`${telling === path ? '' : `${telling} `}${TELLING[telling] ?? ''}`];
}

function holdsPrograms(path: string): boolean {
  return PROGRAM_DIRECTORIES.some((directory) => isAtOrBelow(directory, path));
}

function rareIn(name: string, seen: Coverage[string] | undefined): FileWarning[] {
  if (!seen || !isRare(seen)) return [];
  return [{ name, kind: 'rare', reason: `used in ${seen.seenIn} of ${seen.of} recordings only` }];
}
