/** Whether a profile can be enforced at all: its filter is compiled as a worker will. */
import { compileFilter, DEFAULT_CEILING, engineDefaultNames, FilterError, type Profile } from '#lib/profiles';

/** In words, why no filter can be made of it; null when one can. */
export function uncompilable(profile: Profile): string | null {
  const { architecture, rules } = profile;
  try {
    const engineDefault = engineDefaultNames(architecture);
    compileFilter({ enforcement: 'enforce', architecture, rules, ceiling: DEFAULT_CEILING, engineDefault });
    return null;
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
}
