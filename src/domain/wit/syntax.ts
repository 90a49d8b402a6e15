/**
 * The shape of a WIT text, names not yet resolved. Made by `document.ts` and `declaration.ts`, read by `resolve.ts`.
 */

/** A type as written. `arguments` is undefined for a bare word, and has undefined for `_`. */
export interface TypeSyntax {
  readonly name: string;
  readonly escaped: boolean;
  readonly arguments: readonly (TypeSyntax | undefined)[] | undefined;
  /** The second argument of a list of fixed length. */
  readonly length: number | undefined;
  readonly line: number;
}

export interface FieldSyntax {
  readonly name: string;
  readonly type: TypeSyntax;
}

export interface CaseSyntax {
  readonly name: string;
  readonly type: TypeSyntax | undefined;
}

export type Definition =
  | { readonly kind: 'alias'; readonly type: TypeSyntax }
  | { readonly kind: 'record'; readonly fields: readonly FieldSyntax[] }
  | { readonly kind: 'variant'; readonly cases: readonly CaseSyntax[] }
  | { readonly kind: 'enum' | 'flags'; readonly names: readonly string[] }
  | { readonly kind: 'resource' }
  /** A type of another interface: `use other.{name as local}`. */
  | { readonly kind: 'use'; readonly path: string; readonly name: string };

export interface NamedDefinition {
  readonly name: string;
  readonly definition: Definition;
  readonly line: number;
}

export interface FunctionSyntax {
  /** Within its interface: `add`, `[method]blob.read`. */
  readonly name: string;
  readonly parameters: readonly FieldSyntax[];
  readonly result: TypeSyntax | undefined;
}

export interface InterfaceSyntax {
  readonly types: Map<string, NamedDefinition>;
  readonly functions: FunctionSyntax[];
}

export type ExportSyntax =
  | { readonly kind: 'function'; readonly function: FunctionSyntax }
  | { readonly kind: 'inline'; readonly name: string; readonly body: InterfaceSyntax }
  | { readonly kind: 'interface'; readonly path: string; readonly line: number };

export interface WorldSyntax {
  readonly types: Map<string, NamedDefinition>;
  readonly exports: ExportSyntax[];
}

export interface PackageSyntax {
  /** `ns:name`, without its version. */
  readonly name: string;
  /** `@1.0.0`, or empty. */
  readonly version: string;
  readonly interfaces: Map<string, InterfaceSyntax>;
  readonly worlds: WorldSyntax[];
}
