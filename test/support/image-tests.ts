/** What tests of images share: this machine's engine, the test image that was imported, and for each test a registry of its own. */
import Docker from 'dockerode';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { buildTestImage } from '../../scripts/images/build-image.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { required } from './environment.js';
import { imageSource, testEngine } from './image-source.js';
import { TestRegistry } from './registry.js';

export class ImageTests {
  readonly docker = new Docker({ socketPath: required('DOCKER_HOST').replace(/^unix:\/\//, '') });
  readonly engine = testEngine();
  readonly source = imageSource(this.engine);
  #registry: TestRegistry | undefined;
  #imported = '';

  constructor() {
    beforeAll(async () => {
      this.#imported = (await buildTestImage({ docker: this.docker, cacheDir: CACHE_DIR, log: console.log })).reference;
    });
    beforeEach(async () => {
      this.#registry = await TestRegistry.start(this.docker);
    });
    afterEach(() => this.#registry?.stop());
  }

  get registry(): TestRegistry {
    if (!this.#registry) throw new Error('the registry is there while a test runs');
    return this.#registry;
  }

  /** A reference of the image that came from no registry. */
  get imported(): string {
    return this.#imported;
  }

  /** By tag or by repository digest. */
  async isHere(reference: string): Promise<boolean> {
    const images = await this.docker.listImages({ digests: true });
    return images.some(({ RepoTags, RepoDigests }) =>
      [...(RepoTags ?? []), ...(RepoDigests ?? [])].includes(reference),
    );
  }
}
