/** The images of the corpus of real applications (bench/corpus): Debian's packages, and two scripts of ours. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../setup/paths.js';
import { type ImageOptions, SEARCH_PATH } from './build-image.js';
import { type DebianRoot, makeDebianRoot, recipeOf, removeOtherTars, rootTar } from './debian-root.js';
import { type BuiltImage, findImage, importRoot } from './engine.js';

const PROGRAMS = join(ROOT, 'bench/corpus/programs');
const INSTALL_DIRECTORY = '/opt/corpus';
const READABLE = `chmod -R u=rwX,go=rX ${INSTALL_DIRECTORY}`;
const IMAGES = {
  bio: {
    packages: [
      ...['samtools', 'bcftools', 'tabix', 'bedtools', 'seqtk', 'bwa', 'minimap2', 'mafft', 'fastp'],
      ...['python3-numpy', 'python3-scipy', 'python3-pandas', 'python3-pil', 'r-base-core', 'imagemagick'],
    ],
    // The root's files are dated back, so Python would find the packages' own bytecode stale and compile in every run.
    finish: [
      READABLE,
      'PYTHONHASHSEED=0 python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.11',
    ],
  },
  // Some of picard's tools need guava, on which its package does not depend.
  java: { packages: ['picard-tools', 'libguava-java', 'openjdk-17-jre-headless'], finish: [READABLE] },
} as const;
export type CorpusImageName = keyof typeof IMAGES;
const CONFIGURATION = [`ENV ${SEARCH_PATH}`, 'CMD ["/bin/sh"]'];

/** Unchanged from the engine, else from the cached root file system, else by mmdebstrap, which takes some minutes. */
export async function buildCorpusImage(
  which: CorpusImageName,
  { docker, cacheDir, log }: ImageOptions,
): Promise<BuiltImage> {
  const name = `corpus-${which}`;
  const reference = `porin/${name}:1`;
  const root: DebianRoot = {
    ...IMAGES[which],
    installDirectory: INSTALL_DIRECTORY,
    files: readdirSync(PROGRAMS)
      .sort()
      .map((file) => join(PROGRAMS, file)),
  };
  const inputs = inputsDigest(root);
  const present = await findImage(docker, reference, inputs);
  if (present) return present;
  mkdirSync(cacheDir, { recursive: true });
  const tar = rootTar(cacheDir, name, inputs);
  if (!existsSync(tar)) {
    log(`image: making ${reference} from Debian packages, some minutes`);
    await makeDebianRoot(root, { target: tar, log });
    removeOtherTars(cacheDir, name, tar);
  }
  log(`image: importing ${reference}`);
  return importRoot(docker, { tar, reference, inputs, changes: CONFIGURATION });
}

function inputsDigest(root: DebianRoot): string {
  const hash = createHash('sha256').update(JSON.stringify([process.arch, ...recipeOf(root), ...CONFIGURATION]));
  for (const file of root.files) hash.update('\0').update(readFileSync(file));
  return hash.digest('hex');
}
