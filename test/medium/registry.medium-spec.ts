/** Images from a real registry protocol on the real engine: what is resolved, in which words it fails, what is removed. */
import { pulledImages, removeImage, resolveImage } from '#lib/execution';
import { contentDigest } from '#lib/profiles';
import { beforeEach, describe, expect, it } from 'vitest';
import { imageSource, resolveWith } from '../support/image-source.js';
import { ImageTests } from '../support/image-tests.js';

const images = new ImageTests();
const { docker, engine, source } = images;
const OTHER_GOARCH = process.arch === 'arm64' ? 'amd64' : 'arm64';

describe('resolveImage', () => {
  it('pulls by tag, and knows the digest to pull the same by', async () => {
    const digest = images.registry.push('tools/probe', '1', { content: 'first' });
    const image = await resolveWith(source, images.registry.reference('tools/probe:1'));
    expect(image).toMatchObject({
      repositoryDigest: digest,
      content: { os: 'linux', entrypoint: [], command: ['/bin/sh'] },
    });
    expect(image.content.environment).toContain('PATH=/bin');
    expect(image.content.layerDiffIds).toHaveLength(2);
    expect(await resolveWith(source, digest)).toEqual(image);
  });

  it('pulls by digest what no tag names any more', async () => {
    const first = images.registry.push('tools/probe', '1', { content: 'first' });
    images.registry.push('tools/probe', '1', { content: 'second' });
    expect(await resolveWith(source, first)).toMatchObject({ repositoryDigest: first });
  });

  it('takes "latest" where no tag is named, and pulls no other', async () => {
    const latest = images.registry.push('tools/probe', 'latest', { content: 'latest' });
    images.registry.push('tools/probe', '1', { content: 'first' });
    expect(await resolveWith(source, images.registry.reference('tools/probe'))).toMatchObject({
      repositoryDigest: latest,
    });
    expect(images.registry.requests.join('\n')).not.toContain('manifests/1');
  });

  it('follows a tag that has moved, though the image it named before is here', async () => {
    images.registry.push('tools/probe', '1', { content: 'first' });
    const before = await resolveWith(source, images.registry.reference('tools/probe:1'));
    const second = images.registry.push('tools/probe', '1', { content: 'second' });
    const after = await resolveWith(source, images.registry.reference('tools/probe:1'));
    expect(after.repositoryDigest).toBe(second);
    expect(contentDigest(after.content)).not.toBe(contentDigest(before.content));
  });

  it('asks no registry for a digest or an id that is here, nor for an image that was imported', async () => {
    const digest = images.registry.push('tools/probe', '1', { content: 'first' });
    const { imageId } = await resolveWith(source, digest);
    const asked = images.registry.requests.length;
    expect(await resolveWith(source, digest)).toMatchObject({ imageId });
    expect(await resolveWith(source, imageId)).toMatchObject({ imageId, repositoryDigest: digest });
    expect(await resolveWith(source, images.imported)).toMatchObject({ repositoryDigest: null });
    expect(images.registry.requests).toHaveLength(asked);
  });

  it.each([
    ['tag', () => 'tools/probe:2'],
    ['repository', () => 'tools/none:1'],
    ['digest', () => `tools/probe@sha256:${'0'.repeat(64)}`],
  ])('does not find a %s that the registry does not have', async (_what, name) => {
    images.registry.push('tools/probe', '1', { content: 'first' });
    await expect(resolveWith(source, images.registry.reference(name()))).rejects.toMatchObject({
      code: 'image-not-found',
    });
  });

  it('does not find an id that is not here', async () => {
    const absent = resolveWith(source, `sha256:${'0'.repeat(64)}`);
    await expect(absent).rejects.toMatchObject({ code: 'image-not-on-node' });
  });

  it('fails, to be tried again, while the registry is down, also for a tag that is here', async () => {
    const digest = images.registry.push('tools/probe', '1', { content: 'first' });
    await resolveWith(source, images.registry.reference('tools/probe:1'));
    const [here, absent] = [images.registry.reference('tools/probe:1'), images.registry.reference('tools/absent:1')];
    await images.registry.close();
    for (const reference of [here, absent]) {
      await expect(resolveWith(source, reference)).rejects.toMatchObject({ code: 'image-pull-failed' });
    }
    expect(await resolveWith(source, digest)).toMatchObject({ repositoryDigest: digest });
    await docker.getImage(digest).remove({ force: true });
  });

  it.each([500, 503])('fails, to be tried again, when the registry answers %i', async (status) => {
    images.registry.push('tools/probe', '1', { content: 'first' });
    images.registry.failure = status;
    const pull = resolveWith(source, images.registry.reference('tools/probe:1'));
    await expect(pull).rejects.toMatchObject({ code: 'image-pull-failed' });
  });

  it('refuses an image of another architecture by its name', async () => {
    images.registry.push('tools/probe', '1', { content: 'first', architecture: OTHER_GOARCH });
    const pull = resolveWith(source, images.registry.reference('tools/probe:1'));
    await expect(pull).rejects.toMatchObject({ code: 'image-architecture', imageArchitecture: OTHER_GOARCH });
  });
});

describe('a pull by a credential', () => {
  const robot = { user: 'robot', password: 'swordfish' };
  const known = new Set<string>();
  const own = imageSource(engine, { privateRepositories: known });
  beforeEach(() => known.clear());

  function pullBy(password: string, name = 'tools/probe:1') {
    return resolveImage(own, images.registry.reference(name), {
      accessOf: () => ({ registry: 'named', local: 'refused' }),
      signal: new AbortController().signal,
      credentials: [{ prefix: images.registry.reference(''), ...robot, password }],
    });
  }

  it('hides what its registry hides from everybody else, before it is here', async () => {
    const digest = images.registry.push('tools/probe', '1', { content: 'first' });
    images.registry.credential = robot;
    const gate = images.registry.gate();
    const pulling = pullBy(robot.password);
    await gate.reached;
    expect([...known]).toEqual([images.registry.reference('tools/probe')]);
    gate.open();
    const { imageId } = await pulling;
    for (const reference of [digest, imageId, images.registry.reference('tools/probe:1')]) {
      await expect(resolveWith(own, reference)).rejects.toMatchObject({ code: 'image-not-found' });
    }
    expect(await pullBy(robot.password, `tools/probe@${digest.split('@')[1]}`)).toMatchObject({ imageId });
  });

  it('hides nothing that its registry shows to everybody', async () => {
    const digest = images.registry.push('tools/probe', '1', { content: 'first' });
    await pullBy(robot.password);
    expect([...known]).toEqual([]);
    const asked = images.registry.requests.length;
    await resolveWith(own, digest);
    expect(images.registry.requests).toHaveLength(asked);
  });

  it('hides nothing where it fails, unless an image of the repository is here', async () => {
    images.registry.push('tools/probe', '1', { content: 'first' });
    images.registry.credential = robot;
    await expect(pullBy('wrong')).rejects.toMatchObject({ code: 'image-not-found' });
    expect([...known]).toEqual([]);
    images.registry.credential = undefined;
    await pullBy(robot.password);
    images.registry.credential = robot;
    await expect(pullBy('wrong')).rejects.toMatchObject({ code: 'image-not-found' });
    expect([...known]).toEqual([images.registry.reference('tools/probe')]);
  });
});

describe('removeImage', () => {
  async function pulled(...digests: string[]) {
    const present = await pulledImages(engine);
    return present.filter(({ repositoryDigests }) => digests.some((digest) => repositoryDigests.includes(digest)));
  }

  it('removes an image under all its names, and what a tag names by now stays', async () => {
    const first = images.registry.push('tools/probe', '1', { content: 'first' });
    await resolveWith(source, images.registry.reference('tools/probe:1'));
    await docker.getImage(first).tag({ repo: images.registry.reference('tools/probe'), tag: 'other' });
    const [image] = await pulled(first);
    if (!image) throw new Error('the image is not listed');
    expect(image.tags).toHaveLength(2);
    const second = images.registry.push('tools/probe', '1', { content: 'second' });
    await resolveWith(source, images.registry.reference('tools/probe:1'));
    expect(await removeImage(engine, image)).toBe(true);
    expect(await pulled(first, second)).toMatchObject([
      { repositoryDigests: [second], tags: [images.registry.reference('tools/probe:1')] },
    ]);
    // Gone already, as when another removes it at the same time.
    expect(await removeImage(engine, image)).toBe(true);
  });

  it('leaves an image to the container that is made of it', async () => {
    const digest = images.registry.push('tools/probe', '1', { content: 'first' });
    const { imageId } = await resolveWith(source, digest);
    const container = await docker.createContainer({ Image: imageId, Cmd: ['true'] });
    try {
      const [image] = await pulled(digest);
      if (!image) throw new Error('the image is not listed');
      expect(await removeImage(engine, image)).toBe(false);
      expect(await pulled(digest)).toEqual([image]);
    } finally {
      await container.remove();
    }
  });

  it('is offered neither imported images nor pulled ones with a name of someone’s own', async () => {
    const digest = images.registry.push('tools/probe', '1', { content: 'first' });
    const { imageId } = await resolveWith(source, digest);
    expect(await pulled(digest)).toHaveLength(1);
    await docker.getImage(imageId).tag({ repo: 'porin-test/kept', tag: '1' });
    expect(await pulled(digest)).toEqual([]);
    const ids = (await pulledImages(engine)).map((image) => image.imageId);
    expect(ids).not.toContain((await docker.getImage(images.imported).inspect()).Id);
  });
});
