/** The file system that a container engine keeps images on: how much is free there, and what was written since when. */
import { opendir, lstat, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { infoAnswer } from '../engine/answers.js';
import { type Engine } from '../engine/engine.js';

/** Unit of st_blocks, stat(2). */
const STAT_BLOCK_BYTES = 512;
const WALK_TIMEOUT_MS = 10_000;
/** So far behind may the clock be by which the kernel stamps files: a tick, at its longest. */
const TICK_MS = 10;

export interface Written {
  /** Of everything, up to a little more than the limit. */
  readonly bytes: number;
  /** Of these, without the layers that the engine has downloaded and not unpacked yet. */
  readonly unpackedBytes: number;
}

/** Where containerd keeps its layers unless it is told otherwise. */
const CONTAINERD_ROOT = '/var/lib/containerd';

export class DataRoot {
  private constructor(
    /** Where the free space is asked for. */
    readonly path: string,
    /** Whether what the engine writes can be looked at there. */
    readonly isVisible: boolean,
    /** The engine gives a repository digest to images that came from no registry too. */
    readonly digestsEverything: boolean,
    /** Has a directory for each layer. */
    private readonly layers: string,
  ) {}

  /**
   * `substitute`: a directory on the same file system, for a worker that cannot see the engine's own. Throws EngineError.
   */
  static async of(
    engine: Pick<Engine, 'json'>,
    substitute: string,
    containerdRoot = CONTAINERD_ROOT,
  ): Promise<DataRoot> {
    const {
      DockerRootDir: root,
      Driver: driver,
      DriverStatus: status,
    } = await engine.json(infoAnswer, {
      method: 'GET',
      path: ['info'],
    });
    const digestsEverything = status?.some(([, value]) => value?.startsWith('io.containerd.snapshotter')) ?? false;
    const [hasRoot, hasDriver, hasContainerd] = await Promise.all([
      isDirectory(root ?? ''),
      isDirectory(join(root ?? '', driver ?? '')),
      isDirectory(containerdRoot),
    ]);
    const own = hasRoot && root ? root : substitute;
    const layers = join(root ?? '', driver ?? '', driver === 'vfs' ? 'dir' : '');
    return new DataRoot(
      // The layers of that store are not where the engine says that it keeps its own.
      digestsEverything && hasContainerd ? containerdRoot : own,
      hasRoot && hasDriver && !digestsEverything,
      digestsEverything,
      layers.replace(/\/$/, ''),
    );
  }

  /** Bytes that are free for anybody. */
  async freeBytes(): Promise<number> {
    const { bsize, bavail } = await statfs(this.path);
    return bavail * bsize;
  }

  /** Of files that were written since then; only where `isVisible`. Undefined when it cannot be told in time. */
  async writtenSince(sinceMs: number, limitBytes: number): Promise<Written | undefined> {
    const { dev } = await stat(this.path);
    const since = sinceMs - TICK_MS;
    const deadline = performance.now() + WALK_TIMEOUT_MS;
    const left = [this.path];
    const downloads = `${join(this.path, 'tmp')}/`;
    const written = { bytes: 0, unpackedBytes: 0 };
    for (let directory = left.pop(); directory !== undefined; directory = left.pop()) {
      if (performance.now() > deadline) return undefined;
      const names = await opendir(directory).catch(() => undefined);
      if (!names) continue;
      for await (const entry of names) {
        const path = join(directory, entry.name);
        const found = await lstat(path).catch(() => undefined);
        // What is mounted there, such as the root of a container, is elsewhere.
        if (found?.dev !== dev) continue;
        const isOldLayer = directory === this.layers && found.birthtimeMs > 0 && found.birthtimeMs < since;
        if (entry.isDirectory() && !isOldLayer) left.push(path);
        if (found.ctimeMs < since) continue;
        written.bytes += found.blocks * STAT_BLOCK_BYTES;
        if (!path.startsWith(downloads)) written.unpackedBytes += found.blocks * STAT_BLOCK_BYTES;
        if (written.bytes > limitBytes) return written;
      }
    }
    return written;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (
    path.startsWith('/') &&
    (await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    ))
  );
}
