/** From a profile's file rules to those of one run: variables replaced, and what every run may do added. */
import { type FileRule, type LandlockRules } from '../model/files.js';
import { ALWAYS_GRANTED } from './always-granted.js';
import { FileRulesError } from './file-rules-error.js';
import { isVariable } from './paths.js';
import { type Places, placesOf } from './places.js';
import { byPath } from './rights.js';

/** Of one run. Each costs the start of the payload an open and a system call, and holds an inode while it runs. */
export const LANDLOCK_RULES_MAXIMUM = 1024;

/**
 * Sorted by path, one rule for each. A rule below another is kept even if it adds nothing as text: where its path is a
 * symbolic link, it grants what the link leads to.
 * @throws FileRulesError BAD_PLACE, TOO_MANY_LANDLOCK_RULES
 */
export function expandRules(rules: readonly FileRule[], places: Places): LandlockRules {
  const all = placesOf(places);
  const expanded = byPath(
    [...rules, ...ALWAYS_GRANTED].flatMap(({ path, rights }) =>
      isVariable(path)
        ? all.filter(({ variable }) => variable === path).map((place) => ({ path: place.path, rights }))
        : [{ path, rights }],
    ),
  );
  if (expanded.size > LANDLOCK_RULES_MAXIMUM) {
    throw new FileRulesError(
      'TOO_MANY_LANDLOCK_RULES',
      `${rules.length} rules of the profile and ${all.length} inputs, outputs and temporary places of the job make ` +
        `${expanded.size} Landlock rules; a run may have ${LANDLOCK_RULES_MAXIMUM}. Put the inputs into fewer files.`,
    );
  }
  return [...expanded].map(([path, rights]) => ({ path, rights })).sort((a, b) => (a.path < b.path ? -1 : 1));
}
