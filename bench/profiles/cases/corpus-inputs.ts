/** The inputs of the corpus, made by its generators in its own images; kept until a generator or an image changes. */
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { runInImage } from '../../../scripts/images/run-in-image.js';
import { ROOT } from '../../../scripts/setup/paths.js';
import { type CorpusApplication, CORPUS_DIRECTORY } from './corpus.js';

type ImageName = CorpusApplication['image'];

/** In this order: a later one reads what an earlier one wrote. */
const GENERATORS: readonly { readonly image: ImageName; readonly file: string; readonly command: readonly string[] }[] =
  [
    { image: 'bio', file: 'generate.py', command: ['python3', '/corpus/generate.py', '.'] },
    { image: 'bio', file: 'derive.sh', command: ['sh', '/corpus/derive.sh'] },
    { image: 'edf', file: 'record.sh', command: ['sh', '/corpus/record.sh'] },
  ];
/** Inputs that lie in this checkout as they are. */
const FILES = [join(ROOT, 'examples/edf-normalize/plugins/clip_saturation.py')] as const;
const PREFIX = 'corpus-';

/** Returns their directory, which is below `parent`. */
export async function makeCorpusInputs(options: {
  docker: Docker;
  imageIds: Readonly<Record<ImageName, string>>;
  parent: string;
  log: (message: string) => void;
}): Promise<string> {
  const { docker, imageIds, parent, log } = options;
  const directory = join(parent, `${PREFIX}${digestOf(imageIds)}`);
  if (existsSync(directory)) return directory;
  log('making the inputs of the corpus, about half a minute');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(parent)) {
    if (name.startsWith(PREFIX)) rmSync(join(parent, name), { recursive: true });
  }
  const partial = `${directory}.part`;
  mkdirSync(partial, { mode: 0o700 });
  for (const { image, command } of GENERATORS) {
    await runInImage(docker, {
      imageId: imageIds[image],
      command,
      binds: [`${CORPUS_DIRECTORY}:/corpus:ro`, `${partial}:/inputs`],
      workingDirectory: '/inputs',
      label: 'porin.bench',
    });
  }
  for (const file of FILES) copyFileSync(file, join(partial, file.slice(file.lastIndexOf('/') + 1)));
  for (const name of readdirSync(partial)) chmodSync(join(partial, name), 0o444);
  renameSync(partial, directory);
  return directory;
}

function digestOf(imageIds: Readonly<Record<ImageName, string>>): string {
  const hash = createHash('sha256').update(JSON.stringify(GENERATORS));
  for (const { image, file } of GENERATORS) {
    hash.update(imageIds[image]).update(readFileSync(join(CORPUS_DIRECTORY, file)));
  }
  for (const file of FILES) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
