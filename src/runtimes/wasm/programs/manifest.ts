import type { WitFunction } from '../../../domain/wit/types.ts';

/** Raised whenever what the transpiler writes changes, so that an older cache is not read. */
export const cacheFormat = 4;

export const manifestFile = 'manifest.json';

interface CachedFile {
  readonly file: string;
  /** Hex; a file that does not match was cut short by a crash, and the whole folder is made again. */
  readonly sha256: string;
}

/** What the folder of a checked artifact holds. */
export type Manifest = ModuleManifest | ComponentManifest;

/** A core module, which runs as it is. */
export interface ModuleManifest {
  readonly kind: 'module';
  /** Hex digest of the artifact. */
  readonly artifact: string;
  readonly module: CachedFile;
  /** The export that runs it. */
  readonly command: '_start';
}

/** A component, made into JavaScript and core modules. */
export interface ComponentManifest {
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

/** What the checking process says of an artifact. */
export type TranspileReport =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly description: string };
