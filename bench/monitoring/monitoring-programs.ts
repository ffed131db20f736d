/** The programs of the monitoring bench, each with what its profile is learned from. */
import { buildEdfImage } from '../../scripts/images/build-image.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { type PreparedMachine } from '../machine/bench-machine.js';
import { type BenchProgram } from '../runs/bench-runs.js';
import { CALLS, REFUSED_CALLS } from '../programs/calls.js';
import { prepareEdfPrograms } from '../programs/edf-program.js';
import { buildNativePrograms } from '../programs/native-programs.js';
import { EDF_PROGRAM, type ProgramName } from '../programs/program-names.js';
import { shellProgram } from '../programs/shell-program.js';
import { prepareTarPrograms } from '../programs/tar-program.js';

const RECORDINGS_OF_ONE = 3;

export interface LearnableProgram {
  readonly program: BenchProgram;
  /** The same program, with other inputs where it takes any. */
  readonly learnedFrom: readonly BenchProgram[];
  /** Calls that are left out of its profile. */
  readonly refused?: readonly string[];
}

/** The chosen ones, and those that measure calls. */
export async function prepareMonitoringPrograms(
  { docker, runs, directory }: PreparedMachine,
  chosen: readonly ProgramName[],
  log: (message: string) => void,
): Promise<readonly LearnableProgram[]> {
  const native = await buildNativePrograms(docker);
  const { imageId } = await buildEdfImage({ docker, cacheDir: CACHE_DIR, log });
  const prepare: Readonly<Record<ProgramName, () => Promise<LearnableProgram> | LearnableProgram>> = {
    [EDF_PROGRAM]: async () => {
      const { measured, others } = await prepareEdfPrograms({ docker, runs, directory, log });
      return { program: measured, learnedFrom: [measured, ...others] };
    },
    tar: () => {
      const { measured, learnedFrom } = prepareTarPrograms(imageId, directory);
      return { program: measured, learnedFrom: repeated(learnedFrom) };
    },
    threads: () => ({ program: native.threads, learnedFrom: repeated(native.threads) }),
    shell: () => ({ program: shellProgram(imageId), learnedFrom: repeated(shellProgram(imageId)) }),
  };
  const calls = native.calls(CALLS);
  const refused = native.refused(REFUSED_CALLS);
  const programs: LearnableProgram[] = [
    { program: calls, learnedFrom: repeated(calls) },
    { program: refused, learnedFrom: repeated(refused), refused: REFUSED_CALLS },
  ];
  for (const name of chosen) programs.push(await prepare[name]());
  return programs;
}

function repeated(program: BenchProgram): readonly BenchProgram[] {
  return Array<BenchProgram>(RECORDINGS_OF_ONE).fill(program);
}
