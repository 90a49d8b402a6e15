/**
 * Which tenants have fetched which images through this node. An engine knows no tenants; one that nobody has fetched
 * was there before, is the operator's, and everybody's.
 */
export interface FetchedImages {
  /** Whether a tenant may use an image that the engine has. `imageId` is hex, without `sha256:`. */
  isFor(tenant: string, imageId: string): boolean;
  /** A tenant has fetched it; `wasThere` is whether the engine had it before. Resolves when that is durable. */
  note(tenant: string, imageId: string, wasThere: boolean): Promise<void>;
}

/** For a node of one tenant. */
export const everybodysImages: FetchedImages = {
  isFor: () => true,
  note: async () => {},
};
