import type { EngineConnection } from './connection.ts';
import { type ImageFacts, inspectImage } from './image.ts';

const mostImages = 1000;

/** What is known of images by id, which never changes; so that a launch need not ask. */
export class ImageCache {
  readonly #connection: EngineConnection;
  readonly #known = new Map<string, ImageFacts>();

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
    this.#known.delete(imageId);
    if (facts === undefined) return undefined;
    this.#known.set(imageId, facts);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostImages) break;
      this.#known.delete(oldest);
    }
    return facts;
  }

  forget(imageId: string): void {
    this.#known.delete(imageId);
  }
}
