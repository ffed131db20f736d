/** The image of a Snakemake workflow on GA4GH TES: each task runs Snakemake in its container, which starts the EDF program. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TES_CLIENTS } from '../setup/tes-clients.js';
import { EDF_CONFIGURATION, EDF_ROOT, type ImageOptions, programDigest } from './build-image.js';
import { type DebianRoot, makeDebianRoot, recipeOf, removeOtherTars, rootTar } from './debian-root.js';
import { type BuiltImage, findImage, importRoot } from './engine.js';

const REFERENCE = 'porin/edf-workflow:1';
const NAME = 'edf-workflow';
/** Debian's own in that suite: some of the packages are compiled for it. */
const PYTHON = 'python3.11';
const CONFIGURATION = [
  ...EDF_CONFIGURATION,
  `ENV PYTHONPATH=${EDF_ROOT.installDirectory}:${EDF_ROOT.installDirectory}/site-packages`,
  // Snakemake keeps a cache there.
  'ENV HOME=/tmp',
  'CMD ["/bin/bash"]',
];

/** `environment`: the clients' (scripts/setup/tes-clients.ts), whose packages are in the image. */
export async function buildWorkflowImage(
  { docker, cacheDir, log }: ImageOptions,
  environment: string,
): Promise<BuiltImage> {
  const packages = join(environment, 'lib', PYTHON, 'site-packages');
  if (!existsSync(packages)) throw new Error(`python3 is not ${PYTHON}, for which the image has to have its packages`);
  const root: DebianRoot = {
    ...EDF_ROOT,
    packages: [...EDF_ROOT.packages, 'bash', 'python-is-python3'],
    files: [...EDF_ROOT.files, packages],
  };
  const inputs = createHash('sha256')
    .update(JSON.stringify([process.arch, ...recipeOf(root), ...CONFIGURATION]))
    .update(programDigest())
    .update(readFileSync(TES_CLIENTS))
    .digest('hex');
  const present = await findImage(docker, REFERENCE, inputs);
  if (present) return present;
  mkdirSync(cacheDir, { recursive: true });
  const tar = rootTar(cacheDir, NAME, inputs);
  if (!existsSync(tar)) {
    log(`image: making ${REFERENCE} from Debian packages, about a minute`);
    await makeDebianRoot(root, { target: tar, log });
    removeOtherTars(cacheDir, NAME, tar);
  }
  log(`image: importing ${REFERENCE}`);
  return importRoot(docker, { tar, reference: REFERENCE, inputs, changes: CONFIGURATION });
}
