import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseWit } from '../../../src/domain/wit/parse.ts';
import { opaqueReason, printFunctions, printType } from '../../../src/domain/wit/print.ts';
import type { WitFunction } from '../../../src/domain/wit/types.ts';
import { functionLists } from './arbitrary.ts';

/** As `componentWit` printed it for a component whose imports and exports were renamed into its root package. */
const renamed = `package root:component;

interface x0 {
  record point {
    x: f64,
    y-y: f64,
  }

  resource blob {
    constructor(init: list<u8>);
    read: func(n: u32) -> list<u8>;
    merge: static func(a: borrow<blob>, b: blob) -> blob;
  }

  type points = list<point>;
}

interface x1 {
  use x0.{point as spot, points, blob};

  record %record {
    %type: string,
    nested: option<option<u8>>,
  }

  type alias = %record;

  echo: func(r: alias, s: spot) -> tuple<points, alias>;

  res: func(a: result<u32, string>, b: result<_, string>, c: result<u32>, d: result) -> result;

  take: func(b: blob) -> u32;

  %list: func(%u32: u32);
}

world root {
  import x0;
  import wasi:cli/environment@0.2.0;
  use x0.{point};

  export ping: func(s: string) -> string;
  export pt: func(p: point) -> point;
  export x0;
  export x1;
  export inl: interface {
    record z {
      q: u8,
    }

    zed: func(z: z) -> z;
  }
}
`;

function signatures(functions: readonly WitFunction[]): string[] {
  return functions.map((fn) => {
    const parameters = fn.parameters.map((field) => `${field.name}: ${printType(field.type)}`).join(', ');
    return `${fn.name}(${parameters})${fn.result === undefined ? '' : ` -> ${printType(fn.result)}`}`;
  });
}

/** The functions of a world with this body. */
function world(body: string, rest = ''): WitFunction[] {
  return parseWit(`package a:b; world w { ${body} } ${rest}`);
}

test('the exports of a component are listed under their original names', () => {
  const exportNames = new Map([
    ['root:component/x0', 'probe:typed/types@1.0.0'],
    ['x1', 'probe:typed/calc@1.0.0'],
  ]);
  expect(signatures(parseWit(renamed, { exportNames }))).toEqual([
    'ping(s: string) -> string',
    'pt(p: point) -> point',
    'probe:typed/types@1.0.0#[constructor]blob(init: list<u8>) -> own<blob>',
    'probe:typed/types@1.0.0#[method]blob.read(self: borrow<blob>, n: u32) -> list<u8>',
    'probe:typed/types@1.0.0#[static]blob.merge(a: borrow<blob>, b: own<blob>) -> own<blob>',
    'probe:typed/calc@1.0.0#echo(r: %record, s: point) -> tuple<list<point>, %record>',
    'probe:typed/calc@1.0.0#res(a: result<u32, string>, b: result<_, string>, c: result<u32>, d: result) -> result',
    'probe:typed/calc@1.0.0#take(b: own<blob>) -> u32',
    'probe:typed/calc@1.0.0#list(u32: u32)',
    'inl#zed(z: z) -> z',
  ]);
});

test('an inline interface that stands for a renamed export gives its functions the original name', () => {
  const functions = parseWit(
    'package root:component; world root { export x0: interface { add: func(a: u32); } }',
    {
      exportNames: new Map([['x0', 'probe:typed/calc@1.0.0']]),
    },
  );
  expect(functions.map((fn) => fn.name)).toEqual(['probe:typed/calc@1.0.0#add']);
});

test('named types are resolved through uses, aliases and packages with versions', () => {
  const [fn] = world(
    'export n:p/one@1.0.0-rc.1; import n:p/two@2.0.0;',
    `package n:p@1.0.0-rc.1 { interface one { use n:p/two@2.0.0.{pair as both}; f: func(b: list<both, 2>); } }
     package n:p@2.0.0 { interface two { type byte = u8; type pair = tuple<byte, color>; enum color { red } } }
     package n:p { interface two { } }`,
  );
  expect(fn).toEqual({
    name: 'n:p/one@1.0.0-rc.1#f',
    parameters: [
      {
        name: 'b',
        type: {
          kind: 'list',
          length: 2,
          element: {
            kind: 'tuple',
            elements: [{ kind: 'u8' }, { kind: 'enum', name: 'color', cases: ['red'] }],
          },
        },
      },
    ],
    result: undefined,
  });
});

test('comments, gates, async and escapes are read over', () => {
  const text = `
    // a comment
    /* one /* inside */ another */
    @since(version = 1.0.0)
    export %import: async func(
      /// says what
      %type: u8, %flags: %record,
    ) -> u8;
    @unstable(feature = fancy-things) @deprecated(version = 1.2.0)
    record %record { /** a doc */ a: u8 }`;
  expect(signatures(world(text))).toEqual(['import(type: u8, flags: %record) -> u8']);
});

test('what JSON cannot carry is listed with the reason', () => {
  const functions = world(`
    use n:gone/types@1.0.0.{thing};
    resource blob { len: func() -> u32; }
    export a: func(x: list<tuple<u8, stream<u8>>>);
    export b: func() -> future;
    export c: func(x: borrow<blob>);
    export d: func(x: blob);
    export e: func(x: option<thing>);
    export f: func(x: error-context);
    export g: func(x: map<string, u8>);
    export i: interface { resource blob { count: static func() -> u32; } }
    export ok: async func(x: u8);`);
  expect(functions.map(opaqueReason)).toEqual([
    'Its parameter x holds stream<u8>, and a stream cannot be written as JSON.',
    'Its result holds future, and a future cannot be written as JSON.',
    'Its parameter x holds borrow<blob>, and a resource cannot be written as JSON.',
    'Its parameter x holds own<blob>, and a resource cannot be written as JSON.',
    "Its parameter x holds thing, a type that the component's text does not define.",
    'Its parameter x holds an error-context, which cannot be written as JSON.',
    'Its parameter x holds map<string, u8>, and a map cannot be written as JSON.',
    'It belongs to a resource, which lives only inside the component.',
    '',
  ]);
});

test('printed functions are read back as they were', () => {
  fc.assert(
    fc.property(functionLists, (functions) => {
      expect(parseWit(printFunctions(functions))).toEqual(functions);
    }),
    { numRuns: 500 },
  );
});

test('two types of one name are kept apart in the printed text', () => {
  const functions = world(
    'export here;',
    `interface here { use there.{point as far}; record point { x: u8, next: far } f: func(a: point, b: far); }
     interface there { record point { y: u8 } }`,
  );
  const text = printFunctions(functions);
  expect(text).toContain('use root:component/types-1.{point as point-n2};');
  expect(parseWit(text)).toEqual(functions);
});

test('no functions are an empty text, and the other way round', () => {
  expect(printFunctions([])).toBe('');
  expect(parseWit('')).toEqual([]);
});

test.each<[string, string]>([
  ['world w {}', 'line 1: expected "package", found "world"'],
  ['package a:b;\nworld w {\n  export f: func(a: u33);\n}', 'line 3: expected a known type, found u33'],
  ['package a:b; world w { export f: func(a u8); }', 'line 1: expected ":", found "u8"'],
  ['package a:b; world w { export f: func(); ', 'found the end of the text'],
  ['package a:b; world w { include x; }', 'expected an import, an export, a type or "}", found "include"'],
  ['package a:b; world w { export c:d/e@1.0.0; }', 'the exported interface c:d/e@1.0.0'],
  ['package a:b; world w { type a = list<a>; export f: func(a: a); }', 'a contains itself'],
  ['package a:b; world w { type a = u8; type a = u8; }', 'a is defined twice'],
  [
    'package a:b; world w { use x.{y}; export f: func(y: y); } interface x {}',
    'expected a type of x, found y',
  ],
  ['package a:b; world w { export f: func(a: option<u8, u8>); }', 'found option<u8, u8>'],
  ['package a:b; world w { export f: func(a: list<_>); }', 'found list<_>'],
  ['package a:b; /* never closed', 'expected the end of a comment'],
  ['package a:b; world w { $ }', 'line 1: unexpected "$"'],
])('%j is refused with what was expected', (text, message) => {
  expect(() => parseWit(text)).toThrow(message);
});

test('types too deep or too large are refused before they cost anything', () => {
  const deep = `${'list<'.repeat(100_000)}u8${'>'.repeat(100_000)}`;
  expect(() => world(`export f: func(a: ${deep});`)).toThrow('nested at most 100 deep');
  const chain = Array.from({ length: 60 }, (_, index) => `type t${index + 1} = list<list<t${index}>>;`).join(
    ' ',
  );
  expect(() => world(`type t0 = u8; ${chain} export f: func(a: t60);`)).toThrow('nested at most 100 deep');
  const doubling = Array.from(
    { length: 40 },
    (_, index) => `type t${index + 1} = tuple<t${index}, t${index}>;`,
  );
  expect(() => world(`type t0 = u8; ${doubling.join(' ')} export f: func(a: t40);`)).toThrow(
    'at most 10000 parts',
  );
});
