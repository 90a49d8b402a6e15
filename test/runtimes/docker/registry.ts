import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { imageTar } from '../../support/docker-image.ts';

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

function blobOf(bytes: Buffer): Blob {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

interface Published {
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layer: Blob;
}

/** A registry on loopback, which an engine asks without TLS. What lies below `private/` it gives nobody. */
export class TestRegistry implements AsyncDisposable {
  /** Paths that were asked for, in order. */
  readonly asked: string[] = [];
  /** Layers are begun and not finished while this is set. */
  stalls = false;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #published = new Map<string, Published>();
  #host = '';

  private constructor() {}

  static async open(): Promise<TestRegistry> {
    const registry = new TestRegistry();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    const address = registry.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the registry has no port');
    registry.#host = `127.0.0.1:${address.port}`;
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Where an engine finds `name`. */
  reference(name: string): string {
    return `${this.#host}/${name}`;
  }

  /**
   * Offers an image under a name and tag; `note` makes it another image. Its id is in hex. With `elsewhere` its
   * layer is not here, and the manifest names these addresses for it.
   */
  async publish(
    name: string,
    tag: string,
    note: string,
    elsewhere: readonly string[] = [],
  ): Promise<{ imageId: string; digest: string }> {
    const files = await imageTar(note);
    const layer = blobOf(gzipSync(files, { level: 1 }));
    const config = blobOf(
      Buffer.from(
        JSON.stringify({
          architecture: 'amd64',
          os: 'linux',
          config: { Cmd: ['cat'], Labels: { note } },
          rootfs: { type: 'layers', diff_ids: [blobOf(files).digest] },
        }),
      ),
    );
    const manifest = blobOf(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: manifestType,
          config: part('application/vnd.docker.container.image.v1+json', config),
          layers: [
            {
              ...part('application/vnd.docker.image.rootfs.diff.tar.gzip', layer),
              ...(elsewhere.length > 0 && { urls: elsewhere }),
            },
          ],
        }),
      ),
    );
    const published = { manifest, config, layer };
    this.#published.set(`${name}/manifests/${tag}`, published);
    this.#published.set(`${name}/manifests/${manifest.digest}`, published);
    this.#published.set(`${name}/blobs/${config.digest}`, published);
    if (elsewhere.length === 0) this.#published.set(`${name}/blobs/${layer.digest}`, published);
    return { imageId: config.digest.slice('sha256:'.length), digest: manifest.digest };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').replace(/^\/v2\//, '');
    this.asked.push(path);
    if (path === '') return void response.end('{}');
    if (path.startsWith('private/')) {
      const denied = { errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] };
      return void response.writeHead(403).end(JSON.stringify(denied));
    }
    const found = this.#published.get(path);
    if (found === undefined) {
      const missing = { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] };
      return void response.writeHead(404).end(JSON.stringify(missing));
    }
    const isManifest = path.includes('/manifests/');
    const blob = isManifest
      ? found.manifest
      : path.endsWith(found.config.digest)
        ? found.config
        : found.layer;
    response.writeHead(200, {
      'Content-Type': isManifest ? manifestType : 'application/octet-stream',
      'Content-Length': blob.bytes.length,
      'Docker-Content-Digest': blob.digest,
    });
    if (request.method === 'HEAD') return void response.end();
    if (this.stalls && blob === found.layer) return void response.write(blob.bytes.subarray(0, 600_000));
    response.end(blob.bytes);
  }
}

function part(mediaType: string, { digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}
