/** Learns a program's profile as Porin does, by recordings, and compiles it for every enforcement. */
import {
  allowedNames,
  type Architecture,
  compileFilter,
  DEFAULT_CEILING,
  type Enforcement,
  engineDefaultNames,
  type FilterOptions,
  mergeRecordings,
  type RecordedRun,
  recordingDigest,
  type Rule,
} from '#lib/profiles';
import { type BenchProgram, type BenchRuns, type Filters } from './bench-runs.js';

const ARCHITECTURE: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/** The ceiling alone, as at every run without a profile. */
export const CEILING_FILTER: Partial<Filters> = { none: compileFilter(optionsFor('none', null)) };

export interface Learned {
  readonly filters: Filters;
  readonly names: readonly string[];
}

/** One recording of each of `programs`, which are one program with different inputs. */
export async function learnFilters(runs: BenchRuns, programs: readonly BenchProgram[]): Promise<Learned> {
  const recorded: RecordedRun[] = [];
  for (const program of programs) {
    const { report } = await runs.run(program, 'syscalls', CEILING_FILTER);
    const { recording } = report;
    if (!recording) throw new Error(`${program.name}: the run has no recording`);
    const inputsDigest = JSON.stringify(program.inputs);
    recorded.push({ digest: recordingDigest(recording), inputsDigest, exitCode: 0, recording });
  }
  const merged = mergeRecordings(recorded, { needed: programs.length, distinctInputs: 1 });
  if (merged.kind !== 'profile') {
    const reasons = recorded.flatMap(({ recording }) => recording.partialReasons).join(', ');
    throw new Error(`only ${merged.have} of ${merged.need} recordings are complete (${reasons})`);
  }
  return {
    names: allowedNames(merged.profile),
    filters: {
      none: compileFilter(optionsFor('none', null)),
      audit: compileFilter(optionsFor('audit', merged.profile.rules)),
      enforce: compileFilter(optionsFor('enforce', merged.profile.rules)),
    },
  };
}

function optionsFor(enforcement: Enforcement, rules: readonly Rule[] | null): FilterOptions {
  return {
    enforcement,
    architecture: ARCHITECTURE,
    rules,
    ceiling: DEFAULT_CEILING,
    engineDefault: engineDefaultNames(ARCHITECTURE),
  };
}
