import type {
  CaseSyntax,
  Definition,
  FieldSyntax,
  FunctionSyntax,
  InterfaceSyntax,
  TypeSyntax,
} from './syntax.ts';
import type { TokenReader } from './token.ts';

const maxDepth = 100;

/** Reads the body of an interface up to and with its closing brace. */
export function readInterface(reader: TokenReader): InterfaceSyntax {
  const body: InterfaceSyntax = { types: new Map(), functions: [] };
  reader.expect('{');
  while (!reader.skip('}')) {
    skipGates(reader);
    if (readDefinition(reader, body)) continue;
    const name = reader.identifier('a type, a function or "}"');
    reader.expect(':');
    body.functions.push(readFunction(reader, name));
  }
  return body;
}

/** `@since(version = 1.0.0)` and its like say nothing about types. */
export function skipGates(reader: TokenReader): void {
  while (reader.skip('@')) {
    reader.identifier('the name of a gate');
    if (!reader.skip('(')) continue;
    while (!reader.skip(')')) {
      if (reader.next().kind === 'end') reader.fail('")"');
    }
  }
}

/** Reads a type definition or a `use` into `body`; false where something else stands. */
export function readDefinition(reader: TokenReader, body: InterfaceSyntax): boolean {
  // `record: func()` is a function, in texts of printers that do not escape.
  if (reader.at(':', 1)) return false;
  const { line } = reader.peek();
  const define = (name: string, definition: Definition): void => {
    if (body.types.has(name))
      throw new Error(`line ${line}: expected a new type name, ${name} is defined twice`);
    body.types.set(name, { name, definition, line });
  };
  if (reader.skip('use')) {
    readUse(reader, define);
  } else if (reader.skip('type')) {
    const name = reader.identifier('a type name');
    reader.expect('=');
    define(name, { kind: 'alias', type: readType(reader) });
    reader.expect(';');
  } else if (reader.skip('record')) {
    const name = startBlock(reader);
    define(name, { kind: 'record', fields: reader.commaSeparated('}', () => readField(reader)) });
  } else if (reader.skip('variant')) {
    const name = startBlock(reader);
    define(name, { kind: 'variant', cases: reader.commaSeparated('}', () => readCase(reader)) });
  } else if (reader.at('enum') || reader.at('flags')) {
    const kind = reader.next().text === 'enum' ? 'enum' : 'flags';
    const name = startBlock(reader);
    const readName = () => reader.identifier('a name');
    define(name, { kind, names: reader.commaSeparated('}', readName) });
  } else if (reader.skip('resource')) {
    const name = reader.identifier('a resource name');
    define(name, { kind: 'resource' });
    if (!reader.skip(';')) readMethods(reader, name, body.functions);
  } else {
    return false;
  }
  return true;
}

function startBlock(reader: TokenReader): string {
  const name = reader.identifier('a type name');
  reader.expect('{');
  return name;
}

function readUse(reader: TokenReader, define: (name: string, definition: Definition) => void): void {
  const path = readPath(reader);
  reader.expect('.');
  reader.expect('{');
  reader.commaSeparated('}', () => {
    const name = reader.identifier('a type name');
    const local = reader.skip('as') ? reader.identifier('a type name') : name;
    define(local, { kind: 'use', path, name });
  });
  reader.expect(';');
}

/** An interface's name: `iface`, or `ns:pkg/iface@1.0.0`. */
export function readPath(reader: TokenReader): string {
  let path = reader.identifier('the name of an interface');
  while (reader.at(':') || reader.at('/')) path += reader.next().text + reader.identifier('a name');
  if (reader.peek().kind === 'version') path += `@${reader.next().text}`;
  return path;
}

function readMethods(reader: TokenReader, resource: string, functions: FunctionSyntax[]): void {
  const { line } = reader.peek();
  const word = (name: string, ...args: TypeSyntax[]): TypeSyntax => ({
    name,
    escaped: args.length === 0,
    arguments: args.length === 0 ? undefined : args,
    length: undefined,
    line,
  });
  const self: FieldSyntax = { name: 'self', type: word('borrow', word(resource)) };
  reader.expect('{');
  while (!reader.skip('}')) {
    skipGates(reader);
    if (reader.at('constructor') && !reader.at(':', 1)) {
      reader.next();
      const made = readSignature(reader, `[constructor]${resource}`);
      functions.push({ ...made, result: made.result ?? word('own', word(resource)) });
      continue;
    }
    const name = reader.identifier('a method, a constructor or "}"');
    reader.expect(':');
    if (reader.skip('static')) {
      functions.push(readFunction(reader, `[static]${resource}.${name}`));
    } else {
      const method = readFunction(reader, `[method]${resource}.${name}`);
      functions.push({ ...method, parameters: [self, ...method.parameters] });
    }
  }
}

/** Reads `async func(…) -> …;` from after the colon. */
export function readFunction(reader: TokenReader, name: string): FunctionSyntax {
  reader.skip('async');
  reader.expect('func');
  return readSignature(reader, name);
}

function readSignature(reader: TokenReader, name: string): FunctionSyntax {
  reader.expect('(');
  const parameters = reader.commaSeparated(')', () => readField(reader));
  const result = reader.skip('->') ? readType(reader) : undefined;
  reader.expect(';');
  return { name, parameters, result };
}

function readField(reader: TokenReader): FieldSyntax {
  skipGates(reader);
  const name = reader.identifier('a name');
  reader.expect(':');
  return { name, type: readType(reader) };
}

function readCase(reader: TokenReader): CaseSyntax {
  skipGates(reader);
  const name = reader.identifier('the name of a case');
  if (!reader.skip('(')) return { name, type: undefined };
  const type = readType(reader);
  reader.expect(')');
  return { name, type };
}

function readType(reader: TokenReader, depth = 0): TypeSyntax {
  const { line, escaped } = reader.peek();
  if (depth > maxDepth) reader.fail(`types nested at most ${maxDepth} deep`);
  const name = reader.identifier('a type');
  if (!reader.skip('<')) return { name, escaped, arguments: undefined, length: undefined, line };
  let length: number | undefined;
  const args: (TypeSyntax | undefined)[] = [];
  reader.commaSeparated('>', () => {
    if (reader.peek().kind === 'number') length = readLength(reader);
    else args.push(reader.skip('_') ? undefined : readType(reader, depth + 1));
  });
  return { name, escaped, arguments: args, length, line };
}

function readLength(reader: TokenReader): number {
  const { text } = reader.peek();
  const length = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(length)) reader.fail('the length of a list');
  reader.next();
  return length;
}
