/** Whether a profile can be enforced at all: its filter is compiled as a worker will. */
import { allowedNames, compileFilter, FilterError, type Profile } from '#lib/profiles';

/** In words, why no filter can be made of it; null when one can. */
export function uncompilable(profile: Profile): string | null {
  const { architecture, rules } = profile;
  try {
    // As if each of its calls were granted: what an administrator allows may change.
    const granted = allowedNames(profile);
    compileFilter({ enforcement: 'enforce', architecture, rules, ceiling: [], engineDefault: granted });
    return null;
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
}
