/** What the images of a tenant may take on a node, on the real engine with a real registry, and what is given up for others. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ImageRoom, pulledImages } from '#lib/execution';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TenantImageStore } from '../../apps/worker/src/node/tenant-image-store.js';
import { type AttemptRoom, TenantImages } from '../../apps/worker/src/node/tenant-images.js';
import { PullWatch } from '../../libs/execution/src/images/pull-watch.js';
import { type NodeDatabase } from '../../apps/worker/src/store/node-database.js';
import { addTestNode, makeTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { ALL_IMAGES, resolveWith } from '../support/image-source.js';
import { ImageTests } from '../support/image-tests.js';
import { insertApplication, placedJob } from '../support/placed-job.js';
import { openAsNode } from '../support/test-node.js';

const MIB = 1024 ** 2;
/** Of a file in each image; busybox comes on top, so that one image is within the bound and two are not. */
const FILE_BYTES = 12 * MIB;
const BOUND_BYTES = 24 * MIB;

const images = new ImageTests();
const { docker, engine, source } = images;
let database: TestDatabase;
let owner: pg.Client;
let node: NodeDatabase;
let nodeId: string;
let tenantImages: TenantImages;
let rooms: AttemptRoom[] = [];

beforeAll(async () => {
  database = await makeTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  node = openAsNode(database.ownerUrl, await addTestNode(database.ownerUrl, 'images'));
  const { rows } = await owner.query<{ id: string }>('UPDATE node SET registration_verified = true RETURNING id');
  nodeId = rows[0]?.id ?? '';
  tenantImages = newTenantImages();
});
afterEach(() => {
  for (const room of rooms) room.close();
  rooms = [];
});
afterAll(async () => {
  await node.end();
  await owner.end();
  await database.drop();
});

function newTenantImages(): TenantImages {
  return new TenantImages({ engine, store: new TenantImageStore(node), logger: pino({ level: 'silent' }) });
}

/** Of an attempt that has claimed a job of the tenant. */
async function attemptOf(tenant: string, maximumImageBytes = BOUND_BYTES): Promise<AttemptRoom> {
  const image = 'registry/tool:1';
  const applicationId = await insertApplication(owner, { tenant, name: randomUUID(), image });
  const jobId = await placedJob(owner, { tenant, nodeId, applicationId, image });
  expect(await node.call('node_claim', { jobId, attempt: 1, leaseMs: 600_000 })).not.toBeNull();
  const claim = { jobId, number: 1, tenant, tenantTerms: { maximumImageBytes } };
  const room = tenantImages.room(claim, new AbortController().signal);
  rooms.push(room);
  return room;
}

const resolve = (room: AttemptRoom, reference: string, signal?: AbortSignal) =>
  resolveWith(source, reference, ALL_IMAGES, signal, room);

/** As a job that ends at once. */
async function run(tenant: string, reference: string, maximumImageBytes?: number): Promise<string> {
  const room = await attemptOf(tenant, maximumImageBytes);
  const { imageId } = await resolve(room, reference);
  room.close();
  return imageId;
}

/** Whose tag is 1. Its repository digest. */
const push = (name: string, zeroBytes = FILE_BYTES) =>
  images.registry.push(`tools/${name}`, '1', { content: name, zeroBytes });
const tagOf = (name: string) => images.registry.reference(`tools/${name}:1`);
const here = (digests: readonly string[]) => Promise.all(digests.map((digest) => images.isHere(digest)));
const sizeOf = async (reference: string) => (await docker.getImage(reference).inspect()).Size;

async function countsFor(tenant: string, digests: readonly string[]): Promise<boolean[]> {
  const { rows } = await owner.query<{ digest: string }>(
    'SELECT repository_digest AS digest FROM node_image WHERE node_id = $1 AND tenant = $2',
    [nodeId, tenant],
  );
  return digests.map((digest) => rows.some((row) => row.digest === digest));
}

describe('a pull of a tenant whose images leave no room', () => {
  it('makes room by the image that was not used for longest', async () => {
    const tenant = randomUUID();
    const digests = [push('a'), push('b'), push('c')];
    const roomForTwo = 2 * BOUND_BYTES - 8 * MIB;
    for (const name of ['a', 'b', 'a']) await run(tenant, tagOf(name), roomForTwo);
    expect(await here(digests)).toEqual([true, true, false]);
    await owner.query(`UPDATE node_image SET last_used_at = now() - interval '1 min' WHERE repository_digest = $1`, [
      digests[1],
    ]);
    await run(tenant, tagOf('c'), roomForTwo);
    expect(await here(digests)).toEqual([true, false, true]);
    expect(await countsFor(tenant, digests)).toEqual([true, false, true]);
  });

  it('makes room by the content that the same tag named before', async () => {
    const tenant = randomUUID();
    const before = push('moved');
    await run(tenant, tagOf('moved'));
    const after = push('moved');
    await run(tenant, tagOf('moved'));
    expect(await here([before, after])).toEqual([false, true]);
  });

  it('does so for another process of the same node too', async () => {
    const tenant = randomUUID();
    const digests = [push('a'), push('b')];
    await run(tenant, tagOf('a'));
    tenantImages = newTenantImages();
    await run(tenant, tagOf('b'));
    expect(await here(digests)).toEqual([false, true]);
  });

  it('gives nothing up where there is room for both', async () => {
    const tenant = randomUUID();
    const digests = [push('a'), push('b')];
    await run(tenant, tagOf('a'), 2 * BOUND_BYTES);
    await run(tenant, tagOf('b'), 2 * BOUND_BYTES);
    expect(await here(digests)).toEqual([true, true]);
  });

  it('removes nothing that an attempt runs, and says so, to be tried again', async () => {
    const tenant = randomUUID();
    const digests = [push('a'), push('b')];
    const running = await attemptOf(tenant);
    await resolve(running, tagOf('a'));
    const second = await attemptOf(tenant);
    await expect(resolve(second, tagOf('b'))).rejects.toMatchObject({
      code: 'image-pull-failed',
      message: expect.stringMatching(/in use.*25165824/) as string,
    });
    expect(await here(digests)).toEqual([true, false]);
    running.close();
    await resolve(second, tagOf('b'));
    expect(await here(digests)).toEqual([false, true]);
  });

  it('removes no image that another tenant has used, and gives up its own part in it', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const digests = [push('a'), push('b')];
    await run(one, tagOf('a'));
    await run(other, digests[0] ?? '');
    await run(one, tagOf('b'));
    expect(await here(digests)).toEqual([true, true]);
    expect(await countsFor(one, digests)).toEqual([false, true]);
    expect(await countsFor(other, digests)).toEqual([true, false]);
    // It is the other's alone now.
    await run(other, tagOf('b'));
    expect(await here(digests)).toEqual([false, true]);
  });
});

describe('an image that is here for another tenant', () => {
  it('counts for whoever runs it, and is refused where it is too large', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const digests = [push('a'), push('b')];
    const [a = '', b = ''] = digests;
    await run(one, a, 2 * BOUND_BYTES);
    await run(one, b, 2 * BOUND_BYTES);
    await run(other, a);
    await run(other, b);
    expect(await countsFor(other, digests)).toEqual([false, true]);
    await expect(run(randomUUID(), a, MIB)).rejects.toMatchObject({ code: 'image-too-large' });
    expect(await here(digests)).toEqual([true, true]);
  });
});

describe('an image that is larger than the bound', () => {
  it('is refused with the bound and its bytes, leaves nothing, and costs the tenant nothing', async () => {
    const tenant = randomUUID();
    const kept = push('kept', MIB);
    const large = push('large', 30 * MIB);
    await run(tenant, tagOf('kept'));
    await resolveWith(source, large);
    const bytes = await sizeOf(large);
    await docker.getImage(large).remove({ force: true });
    for (const reference of [tagOf('large'), large]) {
      await expect(run(tenant, reference)).rejects.toMatchObject({
        code: 'image-too-large',
        message: expect.stringMatching(new RegExp(`${bytes} bytes.*${BOUND_BYTES} there`)) as string,
      });
    }
    expect(await here([kept, large, tagOf('large')])).toEqual([true, false, false]);
    expect(await countsFor(tenant, [kept, large])).toEqual([true, false]);
  });

  it('is ended while it is pulled', async () => {
    const tenant = randomUUID();
    const bomb = push('bomb', 1024 * MIB);
    const room = await attemptOf(tenant, 64 * MIB);
    const root = await source.dataRoot();
    const before = await root.freeBytes();
    let least = before;
    const watching = new AbortController();
    const watched = (async () => {
      while (!watching.signal.aborted) {
        least = Math.min(least, await root.freeBytes());
        await sleep(50);
      }
    })();
    await expect(resolve(room, tagOf('bomb'))).rejects.toMatchObject({
      code: 'image-too-large',
      message: expect.stringContaining('67108864 there') as string,
    });
    watching.abort();
    await watched;
    expect(await here([bomb, tagOf('bomb')])).toEqual([false, false]);
    expect(before - least).toBeLessThan(768 * MIB);
  });

  it('leaves an image of that content where it was, by whatever name', async () => {
    const digest = push('twice', 30 * MIB);
    await run(randomUUID(), digest, 2 * BOUND_BYTES);
    await expect(run(randomUUID(), tagOf('twice'))).rejects.toMatchObject({ code: 'image-too-large' });
    expect(await images.isHere(digest)).toBe(true);
  });
});

describe('a pull that outgrows what is left', () => {
  const file = async () => join((await source.dataRoot()).path, 'porin-test-growth');
  const limits = { bytes: 1024 * MIB, freeBytes: 0, timeoutMs: 60_000, stallMs: 60_000 };
  let watch: PullWatch | undefined;
  let parts: string[] = [];

  afterEach(async () => {
    await watch?.stop();
    for (const part of parts) await rm(part);
    parts = [];
  });

  /** Each that is given up leaves 64 MiB more of 128. */
  async function watched(unneeded: number): Promise<{ signal: AbortSignal; given: () => number }> {
    let given = 0;
    const room: ImageRoom = {
      maximumBytes: 128 * MIB,
      leftBytes: () => Promise.resolve(given * 64 * MIB),
      giveUpOne: () => Promise.resolve(given < unneeded && ++given > 0),
      take: () => Promise.resolve(true),
    };
    watch = await PullWatch.start(await source.dataRoot(), limits, room);
    return { signal: watch.signal, given: () => given };
  }
  /** At once: nothing in between is seen. */
  async function grow(mebibytes: number): Promise<void> {
    const part = `${await file()}-${mebibytes}`;
    const { status, stderr } = spawnSync('fallocate', ['--length', `${mebibytes}MiB`, part], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    parts.push(part);
  }

  it('goes on with what others are given up for, one after another', async () => {
    const { signal, given } = await watched(2);
    await grow(48);
    await eventually(() => Promise.resolve(expect(given()).toBe(1)));
    await grow(60);
    await eventually(() => Promise.resolve(expect(given()).toBe(2)));
    await sleep(1_000);
    expect(signal.aborted).toBe(false);
  });

  it('ends, to be tried again, where it would fit without those that are needed', async () => {
    const { signal } = await watched(0);
    await grow(48);
    await eventually(() => Promise.resolve(expect(signal.reason).toMatchObject({ code: 'image-pull-failed' })));
    expect((signal.reason as Error).message).toContain('in use');
  });

  it('ends, and costs the others nothing, where it can never fit', async () => {
    const { signal, given } = await watched(2);
    await grow(160);
    await eventually(() => Promise.resolve(expect(signal.reason).toMatchObject({ code: 'image-too-large' })));
    expect(given()).toBe(0);
  });

  it('is not ended for what others write meanwhile, if that is little', async () => {
    const { signal, given } = await watched(0);
    await grow(8);
    await sleep(1_000);
    expect([signal.aborted, given()]).toEqual([false, 0]);
  });
});

describe('what counts for nobody', () => {
  it('is an image that no registry gave, and one that somebody gave a name of their own', async () => {
    const tenant = randomUUID();
    const digest = push('named');
    await run(tenant, images.imported, 0);
    await resolveWith(source, digest);
    await docker.getImage(digest).tag({ repo: 'porin-test/kept', tag: '1' });
    await run(tenant, digest, 0);
    expect(await countsFor(tenant, [digest])).toEqual([false]);
  });

  it('is what was pulled for an attempt that was lost meanwhile, and is removed', async () => {
    const tenant = randomUUID();
    const digest = push('lost');
    const gate = images.registry.gate();
    const pull = resolve(await attemptOf(tenant), tagOf('lost'));
    await gate.reached;
    await owner.query(`UPDATE attempt SET state = 'LOST', ended_at = now() WHERE state = 'OPEN'`);
    gate.open();
    await expect(pull).rejects.toMatchObject({ code: 'image-pull-failed' });
    expect(await here([digest, tagOf('lost')])).toEqual([false, false]);
    expect(await countsFor(tenant, [digest])).toEqual([false]);
  });
});

describe('what counts', () => {
  it('is an image that cannot be run too, for it was brought', async () => {
    const tenant = randomUUID();
    const digest = images.registry.push('tools/odd', '1', { content: 'odd', config: { Volumes: { '/proc': {} } } });
    await expect(run(tenant, tagOf('odd'))).rejects.toMatchObject({ code: 'image-unusable' });
    expect(await countsFor(tenant, [digest])).toEqual([true]);
  });

  it('is what the engine says that an image takes, unpacked', async () => {
    const digest = push('sized');
    await resolveWith(source, digest);
    const image = (await pulledImages(engine)).find(({ repositoryDigests }) => repositoryDigests.includes(digest));
    expect(image?.bytes).toBe(await sizeOf(digest));
    expect(image?.bytes).toBeGreaterThan(FILE_BYTES);
  });

  it('is, while an image is pulled, not what was downloaded and is still to be unpacked', async () => {
    const root = await source.dataRoot();
    if (!root.isVisible) return;
    const since = Date.now();
    const files = [join(root.path, 'tmp', 'porin-test-download'), join(root.path, 'porin-test-file')];
    try {
      for (const file of files) await writeFile(file, Buffer.alloc(4 * MIB, 1));
      const written = await root.writtenSince(since, 1024 * MIB);
      expect(written?.bytes).toBeGreaterThanOrEqual(8 * MIB);
      expect((written?.bytes ?? 0) - (written?.unpackedBytes ?? 0)).toBeGreaterThanOrEqual(4 * MIB);
      expect(written?.unpackedBytes).toBeGreaterThanOrEqual(4 * MIB);
    } finally {
      for (const file of files) await rm(file, { force: true });
    }
  });
});

describe('an image that was used lately', () => {
  it('is fetched again where somebody has removed it', async () => {
    const tenant = randomUUID();
    const digest = push('again');
    const before = await run(tenant, digest);
    await docker.getImage(digest).remove({ force: true });
    expect(await run(tenant, digest)).toBe(before);
    expect(await images.isHere(digest)).toBe(true);
  });

  it('is not written down at each use', async () => {
    const tenant = randomUUID();
    const digest = push('often');
    await run(tenant, digest);
    await owner.query(`UPDATE node_image SET last_used_at = 'epoch' WHERE repository_digest = $1`, [digest]);
    await run(tenant, digest);
    const used = () =>
      owner.query("SELECT last_used_at > now() - interval '1 min' AS now FROM node_image WHERE tenant = $1", [tenant]);
    expect((await used()).rows).toEqual([{ now: false }]);
    tenantImages = newTenantImages();
    await run(tenant, digest);
    expect((await used()).rows).toEqual([{ now: true }]);
  });
});
