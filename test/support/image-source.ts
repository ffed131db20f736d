/** What images are resolved with in tests: this machine's engine, and no bounds that a test does not ask for. */
import {
  DataRoot,
  Engine,
  type ImageRoom,
  type ImageSource,
  PullTurn,
  resolveImage,
  type ResolvedImage,
} from '#lib/execution';
import { imageAccess, type ImageLists } from '#lib/jobs';
import { tmpdir } from 'node:os';
import { required } from './environment.js';

const GIB = 1024 ** 3;
/** Registries on this machine, and whatever the engine has. */
export const ALL_IMAGES: ImageLists = { registries: ['127.0.0.1:*'], local: ['*'] };

export function testEngine(): Engine {
  return new Engine(required('DOCKER_HOST').replace(/^unix:\/\//, ''));
}

export function imageSource(engine: Engine, changes: Partial<ImageSource> = {}): ImageSource {
  return {
    engine,
    turn: new PullTurn(),
    limits: { bytes: 64 * GIB, freeBytes: 0, timeoutMs: 600_000, stallMs: 600_000 },
    dataRoot: () => DataRoot.of(engine, tmpdir()),
    isPublic: () => Promise.resolve(false),
    privateRepositories: new Set<string>(),
    ...changes,
  };
}

/** As a tenant without lists of its own. */
export function resolveWith(
  source: ImageSource,
  reference: string,
  lists = ALL_IMAGES,
  signal = new AbortController().signal,
  room?: ImageRoom,
): Promise<ResolvedImage> {
  const own = { registries: null, local: null };
  const accessOf = (name: Parameters<typeof imageAccess>[0]) => imageAccess(name, lists, own);
  return resolveImage(source, reference, { accessOf, signal, ...(room && { room }) });
}
