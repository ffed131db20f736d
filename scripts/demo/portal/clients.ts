/** The clients of TES that the story runs, as a portal would: py-tes by a program of its own, and Snakemake. */
import { join } from 'node:path';
import { z } from 'zod';
import { type PythonRun, runPython } from '../../setup/python-environment.js';
import { ROOT } from '../../setup/paths.js';
import { StoryError } from '../scene.js';
import { BUCKET, type PortalScene } from './portal-scene.js';

const EXAMPLE = join(ROOT, 'examples/portal');
/** Of Snakemake's lines, for the person who watches. */
const TOLD = /\[TES\] Task (submitted|completed|errored)|steps \(\d+%\) done|Nothing to be done/;
/** Of a client that failed. */
const LAST_LINES = 15;
const taskSchema = z.object({ name: z.string(), id: z.string() });
export type Task = z.infer<typeof taskSchema>;

export interface Round {
  /** Tells its tasks from others of the story. */
  readonly word: string;
  /** Neither watched nor restricted, which is an administrator's to ask. */
  readonly isPlain?: boolean;
}

/** One task for each recording. */
export async function submitByPyTes(
  scene: PortalScene,
  environment: string,
  recordings: readonly string[],
  { word, isPlain = false }: Round,
): Promise<Task[]> {
  const urls = recordings.map((name) => `s3://${BUCKET}/recordings/${name}.edf`);
  const given = ['--secret', BUCKET, '--output', `s3://${BUCKET}/normalised/`, '--word', word, ...urls];
  const parameters = [join(EXAMPLE, 'normalise.py'), ...given, ...(isPlain ? ['--plain'] : [])];
  const key = scene.keys[isPlain ? 'admin' : 'submitter'];
  const { stdout } = await run(scene, { program: 'python', parameters, directory: scene.inputs, environment, key });
  const tasks = stdout
    .trim()
    .split('\n')
    .map((line) => taskSchema.parse(JSON.parse(line)));
  scene.submitted.push(...tasks.map(({ id }) => id));
  return tasks;
}

/** All of the workflow in `directory`, from its beginning; the ids of its tasks. */
export async function runSnakemake(
  scene: PortalScene,
  environment: string,
  { directory, image }: { readonly directory: string; readonly image: string },
): Promise<string[]> {
  const given = ['--tes', scene.apiUrl, '--container-image', image, '--jobs', '4', '--forceall', '--nocolor'];
  const { stderr: said } = await run(scene, {
    program: 'snakemake',
    parameters: given,
    ...{ directory, environment, key: scene.keys.submitter },
  });
  for (const line of said.split('\n')) if (TOLD.test(line)) scene.print(line.trim());
  const ids = [...said.matchAll(/\[TES\] Task submitted: (\S+)/g)].map(([, id = '']) => id);
  scene.submitted.push(...ids);
  return ids;
}

interface Client {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly directory: string;
  /** The Python environment's folder. */
  readonly environment: string;
  readonly key: string;
}

/** Throws StoryError. */
async function run(
  { apiUrl, signal }: PortalScene,
  { program, parameters, directory, environment, key }: Client,
): Promise<PythonRun> {
  signal.throwIfAborted();
  const variables = { TES_URL: apiUrl, TES_TOKEN: key };
  const ended = await runPython(join(environment, 'bin', program), parameters, { directory, variables });
  if (ended.exitCode === 0) return ended;
  const said = ended.stderr.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
  throw new StoryError(`${program} ended with ${ended.exitCode}:\n${said}`);
}
