/** Which images a node lets be run, what it asks of whom, and what becomes of those that are too much, on the real engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ImageError, type ImageSource } from '#lib/execution';
import { describe, expect, it } from 'vitest';
import { ALL_IMAGES, imageSource, resolveWith } from '../support/image-source.js';
import { ImageTests } from '../support/image-tests.js';

const MIB = 1024 ** 2;
const images = new ImageTests();
const { docker, engine, source } = images;
const limited = (changes: Partial<ImageSource['limits']>) =>
  imageSource(engine, { limits: { ...source.limits, ...changes } });
const lists = (registries: string[], local: string[] = []) => ({ registries, local });

describe('an image of a registry', () => {
  it('is not asked for unless an administrator allows the registry', async () => {
    images.registry.push('tools/probe', '1', { content: 'first' });
    const refused = resolveWith(source, images.registry.reference('tools/probe:1'), lists([]));
    await expect(refused).rejects.toMatchObject({ code: 'image-not-allowed' });
    const other = resolveWith(
      source,
      images.registry.reference('tools/probe:1'),
      lists(['127.0.0.1', 'registry.example']),
    );
    await expect(other).rejects.toMatchObject({ code: 'image-not-allowed' });
    expect(images.registry.requests).toEqual([]);
  });

  it('is not asked for at a private address that no administrator named', async () => {
    images.registry.push('tools/probe', '1', { content: 'first' });
    const refused = resolveWith(source, images.registry.reference('tools/probe:1'), lists(['*']));
    await expect(refused).rejects.toMatchObject({ code: 'image-not-allowed' });
    expect(images.registry.requests).toEqual([]);
  });

  it('is not run by a tenant that may not ask the registry, though it is here for another', async () => {
    const digest = images.registry.push('tools/probe', '1', { content: 'first' });
    const { imageId } = await resolveWith(source, images.registry.reference('tools/probe:1'));
    for (const reference of [images.registry.reference('tools/probe:1'), digest, imageId]) {
      const refused = resolveWith(source, reference, lists([], ['*']));
      await expect(refused).rejects.toMatchObject({ code: 'image-not-allowed' });
    }
  });

  it('is told of without a word of what the registry said', async () => {
    images.registry.failure = 418;
    const error: unknown = await resolveWith(source, images.registry.reference('tools/probe:1')).catch(
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(ImageError);
    expect((error as Error).message).not.toMatch(/418|teapot|127\.0\.0\.1/);
    expect(((error as Error).cause as Error).message).toMatch(/418|teapot/i);
  });
});

describe('an image that came from no registry', () => {
  it('is run where an administrator allows local images, by name or all of them', async () => {
    const { imageId } = await resolveWith(source, images.imported, lists([], ['*']));
    expect(await resolveWith(source, images.imported, lists([], ['porin/*']))).toMatchObject({ imageId });
    expect(await resolveWith(source, imageId, lists([], ['porin/test']))).toMatchObject({ imageId });
    for (const reference of [images.imported, imageId]) {
      const refused = resolveWith(source, reference, lists(['docker.io'], ['lab/*']));
      await expect(refused).rejects.toMatchObject({ code: 'image-not-allowed' });
    }
  });

  it('is not found by the first digits of its id', async () => {
    const { Id } = await docker.getImage(images.imported).inspect();
    const digits = resolveWith(source, Id.slice('sha256:'.length, 'sha256:'.length + 12), lists([], ['*']));
    await expect(digits).rejects.toMatchObject({ code: 'image-not-on-node' });
  });

  it('is not replaced by one of the same name that a registry has', async () => {
    const name = images.registry.reference('tools/probe');
    await docker.getImage(images.imported).tag({ repo: name, tag: '1' });
    images.registry.push('tools/probe', '1', { content: 'other' });
    const { imageId } = await resolveWith(source, images.imported);
    expect(await resolveWith(source, `${name}:1`)).toMatchObject({ imageId, repositoryDigest: null });
    const refused = resolveWith(source, `${name}:1`, lists(['127.0.0.1:*']));
    await expect(refused).rejects.toMatchObject({ code: 'image-not-allowed' });
    expect(images.registry.requests).toEqual([]);
    await docker.getImage(`${name}:1`).remove();
  });
});

describe('a pull', () => {
  it('ends when a small image unpacks to more than a pull may take, and leaves nothing', async () => {
    images.registry.push('tools/bomb', '1', { content: 'bomb', zeroBytes: 1024 * MIB });
    const reference = images.registry.reference('tools/bomb:1');
    const bounded = limited({ bytes: 64 * MIB });
    await expect(resolveWith(bounded, reference)).rejects.toMatchObject({ code: 'image-too-large' });
    expect(await images.isHere(reference)).toBe(false);
    const root = await source.dataRoot();
    const before = await root.freeBytes();
    await expect(resolveWith(bounded, reference)).rejects.toMatchObject({ code: 'image-too-large' });
    await sleep(2_000);
    expect(before - (await root.freeBytes())).toBeLessThan(512 * MIB);
  });

  it('leaves nothing of an image that is too large and came too fast to be stopped', async () => {
    images.registry.push('tools/large', '1', { content: 'large', zeroBytes: 8 * MIB });
    const reference = images.registry.reference('tools/large:1');
    await expect(resolveWith(limited({ bytes: 4 * MIB }), reference)).rejects.toMatchObject({
      code: 'image-too-large',
    });
    expect(await images.isHere(reference)).toBe(false);
  });

  it('is not begun where too little space is free, to be tried again', async () => {
    images.registry.push('tools/probe', '1', { content: 'first' });
    const full = resolveWith(limited({ freeBytes: 2 ** 60 }), images.registry.reference('tools/probe:1'));
    await expect(full).rejects.toMatchObject({ code: 'image-pull-failed' });
    expect(images.registry.requests).toEqual([]);
  });

  it('ends when its registry says nothing any more, or goes on for too long', async () => {
    images.registry.push('tools/probe', '1', { content: 'first' });
    const gate = images.registry.gate();
    for (const limits of [{ stallMs: 300 }, { timeoutMs: 300 }]) {
      const pull = resolveWith(limited(limits), images.registry.reference('tools/probe:1'));
      await expect(pull).rejects.toMatchObject({ code: 'image-pull-failed' });
    }
    gate.open();
  });

  it('waits until the one before it has ended, and may be given up before', async () => {
    for (const name of ['one', 'two', 'three']) images.registry.push(`tools/${name}`, '1', { content: name });
    const gate = images.registry.gate();
    const first = resolveWith(source, images.registry.reference('tools/one:1'));
    await gate.reached;
    const second = resolveWith(source, images.registry.reference('tools/two:1'));
    const abort = new AbortController();
    const third = resolveWith(source, images.registry.reference('tools/three:1'), ALL_IMAGES, abort.signal);
    await sleep(300);
    abort.abort('canceled');
    await expect(third).rejects.toMatchObject({ code: 'image-pull-failed' });
    expect(images.registry.requests.join()).not.toMatch(/two|three/);
    gate.open();
    await Promise.all([first, second]);
    expect(images.registry.requests.join()).not.toContain('three');
  });
});

describe('an image that no container can be made of', () => {
  it.each([
    ['a VOLUME that is /proc', { Volumes: { '/proc': {} } }],
    ['a VOLUME below /proc, written otherwise', { Volumes: { '//proc/./sys/': {} } }],
    ['a VOLUME that is /', { Volumes: { '/': {} } }],
    ['a VOLUME without a slash', { Volumes: { data: {} } }],
    ['a VOLUME called __proto__', JSON.parse('{"Volumes":{"__proto__":{}}}') as object],
    ['many VOLUMEs', { Volumes: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`/v${index}`, {}])) }],
    ['a null byte in ENTRYPOINT', { Entrypoint: ['/bin/\0sh'] }],
    ['a null byte in CMD', { Cmd: ['sh', 'a\0'] }],
    ['a null byte in ENV', { Env: ['PATH=/bin', 'A=\0'] }],
    ['a null byte in WORKDIR', { WorkingDir: '/a\0' }],
    ['a null byte in USER', { User: 'a\0' }],
  ])('is refused by name for %s', async (_what, config) => {
    images.registry.push('tools/odd', '1', { content: 'odd', config });
    const odd = resolveWith(source, images.registry.reference('tools/odd:1'));
    await expect(odd).rejects.toMatchObject({ code: 'image-unusable' });
  });

  it('is refused and removed when its configuration is too long to be read', async () => {
    const config = { Labels: { long: 'x'.repeat(2 * MIB) } };
    images.registry.push('tools/wordy', '1', { content: 'wordy', config });
    const reference = images.registry.reference('tools/wordy:1');
    await expect(resolveWith(source, reference)).rejects.toMatchObject({ code: 'image-too-large' });
    expect(await images.isHere(reference)).toBe(false);
  });
});
