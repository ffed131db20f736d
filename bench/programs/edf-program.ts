/** The EDF program of the bench: its image, and recordings of a length that fits the bench. */
import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { buildEdfImage } from '../../scripts/images/build-image.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { type BenchProgram, type BenchRuns, OUTPUT_DIRECTORY } from '../runs/bench-runs.js';
import { CEILING_POLICIES } from '../runs/policies.js';
import { EDF_PROGRAM } from './program-names.js';
import { isSized, nextMinutes, type Sized, WALL_MS } from './sizing.js';

const INPUT = '/input/night.edf';
const CHANNELS = 16;
const MAXIMUM_TRIES = 8;
/** Of one length, the quickest counts: noise only adds. */
const RUNS_PER_TRY = 3;
/** One thread, and the same dictionary order in every run. */
const ENVIRONMENT = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', PYTHONHASHSEED: '0' };

export interface EdfOptions {
  readonly docker: Docker;
  readonly runs: BenchRuns;
  /** In memory. */
  readonly directory: string;
  readonly log: (message: string) => void;
}

export interface EdfPrograms {
  /** Has a tar, a shell and small programs too. */
  readonly imageId: string;
  readonly measured: BenchProgram;
  readonly minutes: number;
  /** The same program on other recordings, to learn from. */
  readonly others: readonly BenchProgram[];
}

export async function prepareEdfPrograms(options: EdfOptions): Promise<EdfPrograms> {
  const { docker, runs, log } = options;
  const { imageId } = await buildEdfImage({ docker, cacheDir: CACHE_DIR, log });
  const image = new EdfImage(options, imageId);
  const tries: Sized[] = [];
  for (;;) {
    const minutes = nextMinutes(tries);
    const measured = await image.programFor('measured', 1, minutes);
    const walls: number[] = [];
    for (let run = 0; run < RUNS_PER_TRY; run += 1) {
      walls.push((await runs.run(measured, 'none', CEILING_POLICIES)).usage.wallUs / 1000);
    }
    const sized = { minutes, wallMs: Math.min(...walls) };
    log(`a recording of ${minutes} minutes takes ${sized.wallMs.toFixed(0)} ms`);
    if (isSized(sized)) {
      const others = [await image.programFor('other-1', 2, minutes / 2), await image.programFor('other-2', 3, minutes)];
      return { imageId, measured, minutes, others };
    }
    tries.push(sized);
    if (tries.length === MAXIMUM_TRIES) {
      throw new Error(`no length of recording takes ${WALL_MS.minimum} to ${WALL_MS.maximum} ms here`);
    }
  }
}

class EdfImage {
  constructor(
    private readonly options: EdfOptions,
    private readonly imageId: string,
  ) {}

  /** The program on a new recording, made by the example's generator in its own image. */
  async programFor(name: string, seed: number, minutes: number): Promise<BenchProgram> {
    const { runs, directory } = this.options;
    const made = `${OUTPUT_DIRECTORY}/night.edf`;
    const size = ['--channels', String(CHANNELS), '--minutes', String(minutes), '--seed', String(seed)];
    const generator = this.#program([...['python3', '/opt/edf-normalize/generate.py', '--output', made], ...size]);
    await runs.run(generator, 'none', CEILING_POLICIES);
    mkdirSync(join(directory, 'recordings'), { recursive: true });
    const source = join(directory, 'recordings', `${name}.edf`);
    renameSync(join(runs.outputDirectory, 'night.edf'), source);
    chmodSync(source, 0o444);
    const command = ['python3', '-m', 'edf_normalize', '--input', INPUT, '--output', `${OUTPUT_DIRECTORY}/night.edf`];
    return { ...this.#program(command), inputs: [{ source, target: INPUT, readOnly: true }] };
  }

  #program(command: readonly string[]): BenchProgram {
    return { name: EDF_PROGRAM, imageId: this.imageId, command, environment: ENVIRONMENT, inputs: [] };
  }
}
