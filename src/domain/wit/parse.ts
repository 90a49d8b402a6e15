import { readDocument } from './document.ts';
import { type InterfaceScope, qualifiedName, Resolver } from './resolve.ts';
import type { ExportSyntax, PackageSyntax, WorldSyntax } from './syntax.ts';
import type { WitFunction } from './types.ts';

export interface ParseOptions {
  /** From the name of an export in the text (`x0`, or `root:component/x0`) to the one that it stands for. */
  readonly exportNames?: ReadonlyMap<string, string>;
}

/**
 * The functions that the worlds of the text's own package export, in the order of the text: `ping`,
 * `ns:pkg/iface@1.0.0#add`, and those of resources as `ns:pkg/iface@1.0.0#[method]blob.read`.
 *
 * Types are named by their definition, not by an alias. Resources, streams, futures, maps, error contexts and
 * types used from an interface that the text leaves out are `opaque`. `async` is dropped. An empty text has no
 * functions.
 *
 * Throws an Error naming the line and what was expected.
 */
export function parseWit(text: string, { exportNames }: ParseOptions = {}): WitFunction[] {
  const packages = readDocument(text);
  const [root] = packages;
  if (root === undefined) return [];
  const resolver = new Resolver(packages);
  const original = (...names: string[]): string | undefined =>
    names.map((name) => exportNames?.get(name)).find((name) => name !== undefined);
  return root.worlds.flatMap((world) => exportedFunctions(world, root, resolver, original));
}

function exportedFunctions(
  world: WorldSyntax,
  root: PackageSyntax,
  resolver: Resolver,
  original: (...names: string[]) => string | undefined,
): WitFunction[] {
  const functions: WitFunction[] = [];
  for (const each of world.exports) {
    if (each.kind === 'function') {
      const name = original(each.function.name) ?? each.function.name;
      functions.push(resolver.function({ types: world.types, inPackage: root }, name, each.function));
      continue;
    }
    const scope = scopeOf(each, root, resolver);
    const prefix = exportName(each, root, original);
    for (const member of scope.functions) {
      functions.push(resolver.function(scope, `${prefix}#${member.name}`, member));
    }
  }
  return functions;
}

function scopeOf(
  exported: Exclude<ExportSyntax, { kind: 'function' }>,
  root: PackageSyntax,
  resolver: Resolver,
): InterfaceScope {
  if (exported.kind === 'inline') return { ...exported.body, inPackage: root };
  const { path, line } = exported;
  const found = resolver.findInterface(path, root);
  if (found !== undefined) return found;
  throw new Error(`line ${line}: expected the definition of the exported interface ${path} in the text`);
}

function exportName(
  exported: Exclude<ExportSyntax, { kind: 'function' }>,
  root: PackageSyntax,
  original: (...names: string[]) => string | undefined,
): string {
  if (exported.kind === 'inline') return original(exported.name) ?? exported.name;
  if (exported.path.includes('/')) return original(exported.path) ?? exported.path;
  const full = qualifiedName(root, exported.path);
  return original(exported.path, full) ?? full;
}
