/** A read-only image registry on loopback (distribution specification), whose tags and failures are the test's. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import type Docker from 'dockerode';
import { type ImageOptions, makeRegistryImage, MANIFEST_TYPE, type RegistryImage } from './registry-image.js';

const PATH = /^\/v2\/(?<name>.+)\/(?<kind>manifests|blobs)\/(?<wanted>[^/]+)$/;

/** Answers to manifests wait until it is opened. */
export interface Gate {
  readonly reached: Promise<void>;
  open(): void;
}

export class TestRegistry {
  /** Such as `GET /v2/tools/probe/manifests/1`. */
  readonly requests: string[] = [];
  /** A status that every request is answered with, while `fails` says so. */
  failure: number | undefined;
  fails: () => Promise<boolean> = () => Promise.resolve(true);
  /** Whom it shows anything to; everybody where it is not set. */
  credential: { readonly user: string; readonly password: string } | undefined;
  readonly #server: Server;
  readonly #images = new Map<string, RegistryImage>();
  #gate: { readonly opened: Promise<void>; reach(): void } | undefined;

  #port = 0;

  private constructor(private readonly docker: Docker) {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Plain HTTP, which engines accept of 127.0.0.0/8. */
  static async start(docker: Docker): Promise<TestRegistry> {
    const registry = new TestRegistry(docker);
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    registry.#port = (registry.#server.address() as AddressInfo).port;
    return registry;
  }

  /** `<registry>/<name>`, where `name` may have a tag. */
  reference(name: string): string {
    return `127.0.0.1:${this.#port}/${name}`;
  }

  /** A new image under `<repository>:<tag>`, which may have named another before. Its repository digest. */
  push(repository: string, tag: string, options: ImageOptions): string {
    const image = makeRegistryImage(options);
    for (const name of [tag, image.digest]) this.#images.set(`${repository}/${name}`, image);
    return this.reference(`${repository}@${image.digest}`);
  }

  /** For the manifests that are asked for from now on. */
  gate(): Gate {
    let open = () => {};
    let reach = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    const reached = new Promise<void>((resolve) => (reach = resolve));
    this.#gate = { opened, reach };
    return { reached, open };
  }

  /** With the images that the engine has from here. */
  async stop(): Promise<void> {
    const ours = this.reference('');
    for (const { Id, RepoDigests } of await this.docker.listImages()) {
      if (RepoDigests?.some((digest) => digest.startsWith(ours)))
        await this.docker.getImage(Id).remove({ force: true });
    }
    await this.close();
  }

  /** Nothing listens any more. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #mayEnter({ headers }: IncomingMessage): boolean {
    if (!this.credential) return true;
    const { user, password } = this.credential;
    return headers.authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    this.requests.push(`${request.method} ${url}`);
    response.setHeader('Docker-Distribution-API-Version', 'registry/2.0');
    if (this.failure !== undefined && (await this.fails())) return void response.writeHead(this.failure).end();
    if (!this.#mayEnter(request)) {
      return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="test"' }).end();
    }
    if (url === '/v2/') return void response.end('{}');
    const { name = '', kind, wanted = '' } = PATH.exec(url)?.groups ?? {};
    if (kind === 'manifests') {
      this.#gate?.reach();
      await this.#gate?.opened;
      const image = this.#images.get(`${name}/${wanted}`);
      if (!image) return refuse(response, 'MANIFEST_UNKNOWN', 'manifest unknown');
      response.setHeader('Docker-Content-Digest', image.digest);
      return send(request, response, MANIFEST_TYPE, image.manifest);
    }
    const blob = [...this.#images.values()].flatMap(({ blobs }) => blobs.get(wanted) ?? [])[0];
    if (!blob) return refuse(response, 'BLOB_UNKNOWN', 'blob unknown to registry');
    send(request, response, 'application/octet-stream', blob);
  }
}

function send({ method }: IncomingMessage, response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
  response.end(method === 'HEAD' ? undefined : body);
}

function refuse(response: ServerResponse, code: string, message: string): void {
  response.writeHead(404, { 'Content-Type': 'application/json' }).end(JSON.stringify({ errors: [{ code, message }] }));
}
