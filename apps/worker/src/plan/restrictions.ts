/** What a run is held to: the filter of its level, and what its approved profile says about files and processes. */
import { isLess, landlockStatusAt } from '#lib/execution';
import { JobError } from '#lib/jobs';
import {
  type Architecture,
  type AuditTerms,
  type CompiledFilter,
  compileFilter,
  DEFAULT_CEILING,
  expandRules,
  FileRulesError,
  FilterError,
  grantedNames,
  type LandlockRules,
  type LandlockStatus,
  type Level,
  type Places,
  type Profile,
} from '#lib/profiles';

export interface Restrictions {
  readonly filter: CompiledFilter;
  /** Where the profile has file rules and something is refused: under `enforce`, and in an audit of inherited rules. */
  readonly landlock?: LandlockRules;
  readonly landlockMinimum?: LandlockStatus;
  /** The same, where the profile limits processes and threads. */
  readonly pids?: number;
}

export interface RestrictingNode {
  readonly name: string;
  readonly landlockAbi: number | null;
}

/** What is approved, and what its approval says of its audit; null where it is enforced. */
interface Approved {
  readonly id: string;
  readonly profile: Profile;
  readonly audit: AuditTerms | null;
}

interface RunContext {
  readonly places: Places;
  readonly architecture: Architecture;
  readonly node: RestrictingNode;
  /** See grantedNames. */
  readonly beyondDefault: readonly string[];
}

/** `approved`: null with enforcement `none`. Throws JobError landlock-unavailable, too-many-places, profile-uncompilable. */
export function restrictions(
  level: Level,
  approved: Approved | null,
  { places, architecture, node, beyondDefault }: RunContext,
): Restrictions {
  const filter = filterOf(level, approved, { architecture, beyondDefault });
  if (!approved || !refusesAuthority(level, approved.audit)) return { filter };
  const { files, landlockMinimum, pids } = approved.profile;
  if (landlockMinimum) requireLandlock(landlockMinimum, node);
  return {
    filter,
    ...(files && { landlock: landlockRules(files, places) }),
    ...(landlockMinimum && { landlockMinimum }),
    ...(pids !== undefined && { pids }),
  };
}

/** Whether what gives authority beyond the profile is refused: nobody said that a new content may have more of it. */
export function refusesAuthority({ enforcement }: Level, audit: AuditTerms | null): boolean {
  return enforcement === 'enforce' || (enforcement === 'audit' && audit?.inherited === true);
}

function filterOf(
  { enforcement, monitoring }: Level,
  approved: Approved | null,
  { architecture, beyondDefault }: Pick<RunContext, 'architecture' | 'beyondDefault'>,
): CompiledFilter {
  try {
    return compileFilter({
      enforcement,
      architecture,
      rules: approved && approved.profile.rules,
      auditOpen: approved && refusesAuthority({ enforcement, monitoring }, approved.audit) ? 'harmless' : 'authority',
      ceiling: DEFAULT_CEILING,
      engineDefault: grantedNames(architecture, beyondDefault),
      notifyAll: monitoring === 'trace-notify',
    });
  } catch (error) {
    if (!(error instanceof FilterError) || !approved) throw error;
    const profile = `profile version ${approved.id}`;
    throw JobError.of('profile-uncompilable', { profile, detail: error.message }, { cause: error });
  }
}

function requireLandlock(minimum: LandlockStatus, { name, landlockAbi }: RestrictingNode): void {
  const status = landlockStatusAt(landlockAbi);
  if (!isLess(status, minimum)) return;
  const detail = `the profile requires ${minimum}, but the kernel (Landlock ABI ${landlockAbi ?? 0}) enforces only ${status}.`;
  throw JobError.of('landlock-unavailable', { node: name, detail });
}

function landlockRules(files: NonNullable<Profile['files']>, places: Places): LandlockRules {
  try {
    return expandRules(files, places);
  } catch (error) {
    if (!(error instanceof FileRulesError)) throw error;
    throw JobError.of('too-many-places', { detail: error.message }, { cause: error });
  }
}
