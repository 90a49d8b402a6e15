import { LruMap } from '../../../domain/lru-map.ts';
import type { EngineConnection } from '../engine/connection.ts';
import { type ImageFacts, inspectImage } from './image.ts';

/** The one least recently asked for goes first. */
const maxImages = 1000;

/** What is known of images by id, which never changes; so that a launch need not ask. */
export class ImageCache {
  readonly #connection: EngineConnection;
  readonly #known = new LruMap<string, ImageFacts>(maxImages);

  constructor(connection: EngineConnection) {
    this.#connection = connection;
  }

  /** Undefined where the engine does not have it. It may be gone since. Rejects with an EngineError. */
  async facts(imageId: string): Promise<ImageFacts | undefined> {
    return this.#known.get(imageId) ?? this.look(imageId);
  }

  /** As `facts`, but asks the engine. */
  async look(imageId: string): Promise<ImageFacts | undefined> {
    const facts = await inspectImage(this.#connection, `sha256:${imageId}`);
    if (facts === undefined) this.#known.delete(imageId);
    else this.#known.set(imageId, facts);
    return facts;
  }

  forget(imageId: string): void {
    this.#known.delete(imageId);
  }
}
