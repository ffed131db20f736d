/** The images that the demo, the benches and the tests run: the EDF program, and a tiny one of busybox. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { ROOT } from '../setup/paths.js';
import { makeBusyboxRoot } from './busybox-root.js';
import { type DebianRoot, makeDebianRoot, recipeOf, removeOtherTars, rootTar } from './debian-root.js';
import { type BuiltImage, buildDockerfile, findImage, importRoot, registryInReach } from './engine.js';

export interface ImageOptions {
  readonly docker: Docker;
  /** Where root file systems are kept between runs, normally `.porin/cache`. */
  readonly cacheDir: string;
  readonly log: (message: string) => void;
}

const EDF_NAME = 'edf-normalize';
const EXAMPLE = join(ROOT, 'examples/edf-normalize');
/** What of the example is in its image. Plug-ins are not: they come as inputs. */
const PROGRAM = ['edf_normalize', 'generate.py'];
export const SEARCH_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const INSTALL_DIRECTORY = '/opt/edf-normalize';
export const EDF_ROOT: DebianRoot = {
  packages: ['python3-numpy'],
  installDirectory: INSTALL_DIRECTORY,
  files: PROGRAM.map((name) => join(EXAMPLE, name)),
  // The bytecode is of the kind that Python never checks against its source, so that every run makes the same system calls.
  finish: [
    // Not excluded as files of packages are: the package's own installation compiles them.
    'find /usr/lib/python3/dist-packages/numpy -name tests -prune -exec rm -r {} +',
    `find ${INSTALL_DIRECTORY} -name __pycache__ -prune -exec rm -r {} +`,
    `chmod -R u=rwX,go=rX ${INSTALL_DIRECTORY}`,
    `PYTHONHASHSEED=0 python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.11 ${INSTALL_DIRECTORY}`,
  ],
};
export const EDF_CONFIGURATION = [
  `ENV ${SEARCH_PATH}`,
  'ENV PYTHONDONTWRITEBYTECODE=1',
  'ENV OPENBLAS_NUM_THREADS=1',
  `ENV PYTHONPATH=${INSTALL_DIRECTORY}`,
  'WORKDIR /tmp',
  'CMD ["python3", "-m", "edf_normalize", "--help"]',
];
const TEST_REFERENCE = 'porin/test:1';
const TEST_CONFIGURATION = [`ENV ${SEARCH_PATH}`, 'CMD ["/bin/sh"]'];

/**
 * The EDF program's image: unchanged from the engine, else from the cached root file system, else built by its Dockerfile
 * where a registry answers, else (and when that fails) by mmdebstrap.
 */
export async function buildEdfImage({ docker, cacheDir, log }: ImageOptions): Promise<BuiltImage> {
  const reference = `porin/${EDF_NAME}:${version()}`;
  const files = programFiles();
  const inputs = programDigest(files);
  const present = await findImage(docker, reference, inputs);
  if (present) return present;
  mkdirSync(cacheDir, { recursive: true });
  const tar = rootTar(cacheDir, EDF_NAME, inputs);
  if (!existsSync(tar)) {
    const built = await tryDockerfile({ docker, log, reference, inputs, files });
    if (built) return built;
    log(`image: making ${reference} from Debian packages, about half a minute`);
    await makeDebianRoot(EDF_ROOT, { target: tar, log });
    removeOtherTars(cacheDir, EDF_NAME, tar);
  }
  log(`image: importing ${reference}`);
  return importRoot(docker, { tar, reference, inputs, changes: EDF_CONFIGURATION });
}

/** A tiny image with busybox's programs (/bin/true, /bin/sh, ...), made of what is installed. */
export async function buildTestImage({ docker, cacheDir, log }: ImageOptions): Promise<BuiltImage> {
  const tar = join(cacheDir, 'test-image.tar');
  makeBusyboxRoot(tar);
  const inputs = createHash('sha256').update(readFileSync(tar)).update(TEST_CONFIGURATION.join('\n')).digest('hex');
  const present = await findImage(docker, TEST_REFERENCE, inputs);
  if (present) return present;
  log(`image: importing ${TEST_REFERENCE}`);
  return importRoot(docker, { tar, reference: TEST_REFERENCE, inputs, changes: TEST_CONFIGURATION });
}

async function tryDockerfile(options: {
  docker: Docker;
  log: (message: string) => void;
  reference: string;
  inputs: string;
  files: readonly string[];
}): Promise<BuiltImage | undefined> {
  if (!(await registryInReach())) return undefined;
  options.log(`image: building ${options.reference} by its Dockerfile`);
  try {
    return await buildDockerfile(options.docker, { ...options, context: EXAMPLE });
  } catch (error) {
    options.log(`image: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Paths below the example's folder, sorted. */
function programFiles(): string[] {
  return PROGRAM.flatMap((name) =>
    name.endsWith('.py')
      ? [name]
      : readdirSync(join(EXAMPLE, name))
          .filter((file) => file.endsWith('.py'))
          .map((file) => `${name}/${file}`),
  ).sort();
}

/** Of the EDF program and of all that its image follows from. */
export function programDigest(files: readonly string[] = programFiles()): string {
  const hash = createHash('sha256');
  const recipe = [process.arch, ...recipeOf(EDF_ROOT), ...EDF_CONFIGURATION];
  hash.update(JSON.stringify(recipe));
  for (const file of ['Dockerfile', ...files]) hash.update(`\0${file}\0`).update(readFileSync(join(EXAMPLE, file)));
  return hash.digest('hex');
}

function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}
