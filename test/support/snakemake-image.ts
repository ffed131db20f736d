/** An image with bash and Snakemake, on Debian's Python: Snakemake's tasks run Snakemake in their container. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { SEARCH_PATH } from '../../scripts/images/build-image.js';
import {
  type DebianRoot,
  makeDebianRoot,
  recipeOf,
  removeOtherTars,
  rootTar,
} from '../../scripts/images/debian-root.js';
import { findImage, importRoot } from '../../scripts/images/engine.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';

export const SNAKEMAKE_IMAGE = 'porin/snakemake:7.32.4';
const NAME = 'snakemake';
const REQUIREMENTS = 'test/support/tes-clients.txt';
const INSTALL_DIRECTORY = '/opt/snakemake';
/** Debian's own in that suite: some of the packages are compiled for it. */
const PYTHON = 'python3.11';
const CONFIGURATION = [
  `ENV ${SEARCH_PATH}`,
  `ENV PYTHONPATH=${INSTALL_DIRECTORY}/site-packages`,
  'ENV PYTHONDONTWRITEBYTECODE=1',
  // Snakemake keeps a cache there.
  'ENV HOME=/tmp',
  'CMD ["/bin/bash"]',
];

/** `environment`: with the packages of test/support/tes-clients.txt. */
export async function importSnakemakeImage(docker: Docker, environment: string): Promise<void> {
  const packages = join(environment, 'lib', PYTHON, 'site-packages');
  if (!existsSync(packages)) throw new Error(`python3 is not ${PYTHON}, for which the image has to have its packages`);
  const root: DebianRoot = {
    packages: ['bash', 'python-is-python3'],
    installDirectory: INSTALL_DIRECTORY,
    files: [packages],
    finish: [`chmod -R u=rwX,go=rX ${INSTALL_DIRECTORY}`],
  };
  const inputs = createHash('sha256')
    .update(JSON.stringify([process.arch, ...recipeOf(root), ...CONFIGURATION]))
    .update(readFileSync(REQUIREMENTS))
    .digest('hex');
  if (await findImage(docker, SNAKEMAKE_IMAGE, inputs)) return;
  const tar = rootTar(CACHE_DIR, NAME, inputs);
  if (!existsSync(tar)) {
    await makeDebianRoot(root, { target: tar, log: console.log });
    removeOtherTars(CACHE_DIR, NAME, tar);
  }
  await importRoot(docker, { tar, reference: SNAKEMAKE_IMAGE, inputs, changes: CONFIGURATION });
}
