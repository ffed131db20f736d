/** Where an executor's container has what differs from job to job: what a profile's variables stand for. */
import { normalize } from 'node:path/posix';
import { type Places } from '#lib/profiles';
import { type Claim } from '../attempt/claim.js';
import { outputDirectories } from '../attempt/output-mounts.js';

/** Scratch that every container has. */
const TEMPORARY = ['/tmp', '/dev/shm'] as const;

/** `imageVolumes`: covered with scratch, as the image names them. */
export function runPlaces(
  { inputs, outputs }: Pick<Claim, 'inputs' | 'outputs'>,
  imageVolumes: readonly string[],
): Places {
  return {
    inputs: inputs.map(({ path }) => path),
    outputs: outputDirectories(outputs.map(({ path }) => path)).map(({ target }) => target),
    temporary: [...TEMPORARY, ...imageVolumes.map(withoutSlash)],
  };
}

function withoutSlash(path: string): string {
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
