import type { WitFunction } from '../../domain/wit/types.ts';

/** Raised whenever what the transpiler writes changes, so that an older cache is not read. */
export const cacheFormat = 3;

export const manifestFile = 'manifest.json';

interface CachedFile {
  readonly file: string;
  /** Hex; a file that does not match was cut short by a crash, and the whole folder is made again. */
  readonly sha256: string;
}

/** What a transpiled artifact's folder holds. */
export interface Manifest {
  readonly kind: 'component';
  /** Hex digest of the artifact that all of this was made from. */
  readonly artifact: string;
  readonly source: CachedFile;
  readonly cores: readonly (CachedFile & {
    /** How often the component instantiates it. */ readonly instances: number;
  })[];
  /** Interfaces that it imports, without versions. */
  readonly imports: readonly string[];
  /** The export `wasi:cli/run@…` of a command; empty where it is none. */
  readonly command: string;
  readonly functions: readonly WitFunction[];
  /** The typed functions as WIT text. */
  readonly wit: string;
}

/** What the transpiling process prints: one line of JSON. */
export type TranspileReport =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly description: string };
