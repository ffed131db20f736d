/** Images, left containers and the node's facts, on the real engine without a registry. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { probeNode, Recorder, removeContainers, resolveImage } from '#lib/execution';
import { contentDigest } from '#lib/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecutorRuns } from '../support/executor-runs.js';
import { nativeInit } from '../support/native.js';

const ARCHITECTURE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

let runs: ExecutorRuns;

beforeAll(async () => {
  runs = await ExecutorRuns.create();
});
afterAll(() => runs.close());

describe('an image', () => {
  it('that is present is resolved by name and by id, to the same content', async () => {
    const byName = await resolveImage(runs.docker, 'porin/test:1');
    expect(byName).toMatchObject({ imageId: runs.imageId, repositoryDigest: null, volumes: [] });
    expect(byName.content).toMatchObject({
      os: 'linux',
      architecture: ARCHITECTURE,
      entrypoint: [],
      command: ['/bin/sh'],
    });
    expect(byName.content.layerDiffIds).toHaveLength(1);
    expect(await resolveImage(runs.docker, runs.imageId)).toEqual(byName);
  });

  it('imported again is another image of the same content', async () => {
    const changes = ['CMD ["/bin/sh"]'];
    const [one, two] = [await runs.imageWith(changes), await runs.imageWith(changes)];
    expect(one).not.toBe(two);
    const [first, second] = [await resolveImage(runs.docker, one), await resolveImage(runs.docker, two)];
    expect(contentDigest(first.content)).toBe(contentDigest(second.content));
  });

  it('names its volumes', async () => {
    const imageId = await runs.imageWith(['VOLUME ["/data", "/cache"]']);
    expect((await resolveImage(runs.docker, imageId)).volumes).toEqual(['/cache', '/data']);
  });

  it('of another architecture is refused', async () => {
    const imageId = await runs.imageFor('s390x');
    await expect(resolveImage(runs.docker, imageId)).rejects.toMatchObject({
      code: 'image-architecture',
      imageArchitecture: 's390x',
    });
  });

  it.each([
    ['an id that this node does not have', `sha256:${'0'.repeat(64)}`, 'image-not-found'],
    ['what is no reference', 'two words', 'image-not-found'],
    ['what would be another request', 'porin/../../containers/json?all=1', 'image-not-found'],
    ['what would climb', 'porin/../test:1', 'image-not-found'],
    ['a name that no engine takes', 'UPPER:1', 'image-not-found'],
    // Nothing listens there.
    ['a registry that does not answer', '127.0.0.1:9/none/such:1', 'image-pull-failed'],
  ])('is not there: %s', async (_name, reference, code) => {
    const error: unknown = await resolveImage(runs.docker, reference).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'ImageError', code });
    expect((error as Error).message).toContain(reference);
  });
});

describe('containers that were left', () => {
  it('are removed by their labels, running or not, and no others', async () => {
    const mark = randomUUID();
    const make = (labels: Record<string, string>) =>
      runs.docker.createContainer({
        Image: runs.imageId,
        Cmd: ['sleep', '600'],
        Labels: { 'porin.test-mark': mark, ...labels },
        HostConfig: { NetworkMode: 'none' },
      });
    const running = await make({ 'porin.node': 'one' });
    await running.start();
    await make({ 'porin.node': 'one' });
    const other = await make({ 'porin.node': 'two' });
    expect(await removeContainers(runs.docker, { 'porin.test-mark': mark, 'porin.node': 'one' })).toBe(2);
    expect((await other.inspect()).State.Status).toBe('created');
    expect(await removeContainers(runs.docker, { 'porin.test-mark': mark })).toBe(1);
    expect(await removeContainers(runs.docker, { 'porin.test-mark': mark })).toBe(0);
  });

  it('are never removed without a label', async () => {
    await expect(removeContainers(runs.docker, {})).rejects.toMatchObject({ name: 'ExecutionError' });
  });
});

describe('the node', () => {
  it('is described with its recorder, or with the reason why there is none', async () => {
    const recorder = await Recorder.start({ binaryPath: join(process.cwd(), '.porin/native/porin-recorder') });
    try {
      const facts = await probeNode({ docker: runs.docker, initPath: nativeInit(), recorder });
      expect(facts).toMatchObject({ architecture: ARCHITECTURE, engine: 'Engine', recorderVersion: recorder.version });
      expect(facts.kernel).toMatch(/^\d+\.\d+/);
      expect(facts.engineVersion).toMatch(/^\d+\.\d+/);
      expect(facts.initVersion).toMatch(/^\d+\.\d+\.\d+$/);
      expect(facts).not.toHaveProperty('recorderProblem');
      // What every hello says.
      const { report } = await runs.run(runs.request(['true']));
      expect(report.sandbox).toEqual({
        initVersion: facts.initVersion,
        kernel: facts.kernel,
        landlockAbi: facts.landlockAbi ?? 0,
      });
    } finally {
      await recorder.close();
    }
    const problem = await probeNode({ docker: runs.docker, initPath: nativeInit(), recorder: new Error('no BTF') });
    expect(problem.recorderProblem).toBe('no BTF');
    expect(problem).not.toHaveProperty('recorderVersion');
  });

  it('cannot be described without a porin-init that runs here', async () => {
    const probe = (initPath: string) => probeNode({ docker: runs.docker, initPath, recorder: new Error('not asked') });
    await expect(probe('/nonexistent/porin-init')).rejects.toMatchObject({ code: 'control-channel' });
    await expect(probe('/bin/echo')).rejects.toMatchObject({ code: 'control-channel' });
  });
});
