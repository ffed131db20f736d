/** Where an executor's container has what differs from job to job: what a profile's variables stand for. */
import { normalize } from 'node:path/posix';
import { type Places } from '#lib/profiles';
import { type Claim } from '../attempt/claim.js';
import { outputDirectories, SCRATCH_DIRECTORY, type Written } from '../attempt/output-mounts.js';

/** Scratch that every container has. */
const TEMPORARY = ['/tmp', '/dev/shm'] as const;

/** `imageVolumes`: covered with scratch, as the image names them. */
export function runPlaces(job: Pick<Claim, 'inputs'> & Written, imageVolumes: readonly string[]): Places {
  const written = outputDirectories(job).filter((directory) => directory !== SCRATCH_DIRECTORY);
  return {
    inputs: job.inputs.map(({ path }) => path),
    outputs: written.map(({ target }) => target),
    temporary: [...TEMPORARY, ...imageVolumes.map(withoutSlash)],
  };
}

function withoutSlash(path: string): string {
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
