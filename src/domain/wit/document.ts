import { readDefinition, readFunction, readInterface, readPath, skipGates } from './declaration.ts';
import type { ExportSyntax, InterfaceSyntax, PackageSyntax, WorldSyntax } from './syntax.ts';
import { TokenReader } from './token.ts';

/** Reads a whole text: the package that it is about first, then those in braces. Throws an Error naming the line. */
export function readDocument(text: string): PackageSyntax[] {
  const reader = new TokenReader(text);
  const packages: PackageSyntax[] = [];
  let current: PackageSyntax | undefined;
  while (reader.peek().kind !== 'end') {
    skipGates(reader);
    if (reader.skip('package')) {
      const found = startPackage(reader);
      packages.push(found);
      if (reader.skip(';')) current = found;
      else readBlock(reader, found);
    } else if (current !== undefined) {
      readPackageItem(reader, current);
    } else {
      reader.fail('"package"');
    }
  }
  return packages;
}

function startPackage(reader: TokenReader): PackageSyntax {
  let name = reader.identifier('a package name');
  while (reader.at(':') || reader.at('/')) name += reader.next().text + reader.identifier('a name');
  const version = reader.peek().kind === 'version' ? `@${reader.next().text}` : '';
  return { name, version, interfaces: new Map(), worlds: [] };
}

function readBlock(reader: TokenReader, into: PackageSyntax): void {
  reader.expect('{');
  while (!reader.skip('}')) {
    skipGates(reader);
    readPackageItem(reader, into);
  }
}

function readPackageItem(reader: TokenReader, into: PackageSyntax): void {
  if (reader.skip('interface')) {
    into.interfaces.set(reader.identifier('the name of an interface'), readInterface(reader));
  } else if (reader.skip('world')) {
    reader.identifier('the name of a world');
    into.worlds.push(readWorld(reader));
  } else {
    reader.fail('"interface" or "world"');
  }
}

function readWorld(reader: TokenReader): WorldSyntax {
  const body: InterfaceSyntax = { types: new Map(), functions: [] };
  const exports: ExportSyntax[] = [];
  reader.expect('{');
  while (!reader.skip('}')) {
    skipGates(reader);
    if (reader.skip('import')) readExtern(reader);
    else if (reader.skip('export')) exports.push(readExtern(reader));
    else if (!readDefinition(reader, body)) reader.fail('an import, an export, a type or "}"');
  }
  return { types: body.types, exports };
}

function readExtern(reader: TokenReader): ExportSyntax {
  const { line } = reader.peek();
  const named =
    reader.at(':', 1) && (reader.at('func', 2) || reader.at('async', 2) || reader.at('interface', 2));
  if (!named) {
    const path = readPath(reader);
    reader.expect(';');
    return { kind: 'interface', path, line };
  }
  const name = reader.identifier('a name');
  reader.expect(':');
  if (!reader.skip('interface')) return { kind: 'function', function: readFunction(reader, name) };
  const body = readInterface(reader);
  reader.skip(';');
  return { kind: 'inline', name, body };
}
