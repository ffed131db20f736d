/** Learns a program's profile as Porin does, by recordings, and what of it each level holds. */
import {
  allowedNames,
  type Architecture,
  compileFilter,
  DEFAULT_CEILING,
  type Enforcement,
  engineDefaultNames,
  type FilterOptions,
  mergeRecordings,
  type Profile,
  type RecordedRun,
  recordingDigest,
} from '#lib/profiles';
import { type BenchProgram, type BenchRuns, type Policies, type Policy } from './bench-runs.js';
import { type LevelName, LEVEL_NAMES, LEVELS } from './levels.js';
import { perLevel } from './measured-runs.js';

const ARCHITECTURE: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/** The ceiling alone, at every level that needs no profile. */
export const CEILING_POLICIES: Policies = policiesOf(null);

/** One recording of each of `programs`, which are one program with different inputs. */
export async function learnProfile(
  runs: BenchRuns,
  programs: readonly BenchProgram[],
  level: LevelName,
): Promise<Profile> {
  const recorded: RecordedRun[] = [];
  for (const program of programs) {
    const { report } = await runs.run(program, level, CEILING_POLICIES);
    const { recording } = report;
    if (!recording) throw new Error(`${program.name}: the run has no recording`);
    const inputsDigest = JSON.stringify(program.inputs);
    recorded.push({ digest: recordingDigest(recording), inputsDigest, exitCode: 0, recording });
  }
  const merged = mergeRecordings(recorded, { needed: programs.length, distinctInputs: 1 });
  if (merged.kind === 'profile') return merged.profile;
  const reasons = recorded.flatMap(({ recording }) => recording.partialReasons).join(', ');
  throw new Error(`only ${merged.have} of ${merged.need} recordings are complete (${reasons})`);
}

/** The profile of a program that is to be refused these calls. */
export function withoutCalls(profile: Profile, calls: readonly string[]): Profile {
  const rules = profile.rules.flatMap((rule) => {
    const names = rule.names.filter((name) => !calls.includes(name));
    return names.length === 0 ? [] : [{ ...rule, names }];
  });
  return { ...profile, rules };
}

/** Without a profile, of the levels alone that need none. */
export function policiesOf(profile: Profile | null): Policies {
  return perLevel(LEVEL_NAMES, (name) => policyOf(name, profile));
}

function policyOf(name: LevelName, profile: Profile | null): Policy | undefined {
  const { level, depth } = LEVELS[name];
  if (depth === undefined) return { filter: compileFilter(optionsFor(level.enforcement, null)) };
  if (!profile || depth !== 'names') return undefined;
  return { filter: compileFilter(optionsFor(level.enforcement, allowedNames(profile))) };
}

function optionsFor(enforcement: Enforcement, allowed: readonly string[] | null): FilterOptions {
  return {
    enforcement,
    architecture: ARCHITECTURE,
    allowed,
    ceiling: DEFAULT_CEILING,
    engineDefault: engineDefaultNames(ARCHITECTURE),
  };
}
