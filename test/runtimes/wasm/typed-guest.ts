import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';

/**
 * A component with state and bad habits: `count` returns how often it was called in its instance, `boom` traps,
 * `hang` never returns, `refuse` returns the error 9, `long` returns that many letters.
 */
export async function typedGuest(): Promise<Uint8Array> {
  const binary = await parse(`(module
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const 0))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "count") (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (global.get $calls))
    (func (export "test:guest/habits@1.0.0#boom") unreachable)
    (func (export "test:guest/habits@1.0.0#hang") (loop $forever (br $forever)))
    (func (export "test:guest/habits@1.0.0#refuse") (result i32)
      (i32.store8 (i32.const 16) (i32.const 1))
      (i32.store (i32.const 20) (i32.const 9))
      (i32.const 16))
    (func (export "test:guest/habits@1.0.0#long") (param $length i32) (result i32)
      (drop (memory.grow (i32.const 128)))
      (memory.fill (i32.const 1024) (i32.const 97) (local.get $length))
      (i32.store (i32.const 16) (i32.const 1024))
      (i32.store (i32.const 20) (local.get $length))
      (i32.const 16)))`);
  const witSource = `package test:guest@1.0.0;
    interface habits {
      boom: func();
      hang: func();
      refuse: func() -> result<u32, u32>;
      long: func(length: u32) -> string;
    }
    world guest { export habits; export count: func() -> u32; }`;
  return componentNew(await componentEmbed({ binary, witSource, world: 'guest' }), []);
}

export const habit = (name: string): string => `test:guest/habits@1.0.0#${name}`;

/** A component that exports one function of that name, itself or in an interface. */
export async function namedExport(name: string, inInterface = ''): Promise<Uint8Array> {
  const core = inInterface === '' ? name : `${inInterface}#${name}`;
  const binary = await parse(`(module (func (export "${core}")))`);
  const witSource =
    inInterface === ''
      ? `package test:named; world w { export %${name}: func(); }`
      : `package test:named; interface api { %${name}: func(); } world w { export api; }`;
  return componentNew(await componentEmbed({ binary, witSource, world: 'w' }), []);
}

/** A component with nothing but `wasi:http/incoming-handler`. */
export async function httpHandler(): Promise<Uint8Array> {
  const binary = await parse(
    `(module (func (export "wasi:http/incoming-handler@0.2.3#handle") (param i32 i32)))`,
  );
  const witSource = `package test:handler;
    world w { export wasi:http/incoming-handler@0.2.3; }
    package wasi:http@0.2.3 {
      interface types { resource incoming-request; resource response-outparam; }
      interface incoming-handler {
        use types.{incoming-request, response-outparam};
        handle: func(request: incoming-request, response-out: response-outparam);
      }
    }`;
  return componentNew(await componentEmbed({ binary, witSource, world: 'w' }), []);
}

/** A component whose function `text` returns these bytes as a string. */
export async function textGuest(text: Uint8Array, encoding: 'utf8' | 'utf16' = 'utf8'): Promise<Uint8Array> {
  const data = [...text].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const units = encoding === 'utf8' ? text.length : text.length / 2;
  const binary = await parse(`(module
    (memory (export "memory") 1)
    (data (i32.const 8) "${data}")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "text") (result i32)
      (i32.store (i32.const 0) (i32.const 8))
      (i32.store (i32.const 4) (i32.const ${units}))
      (i32.const 0)))`);
  const witSource = 'package test:text; world w { export text: func() -> string; }';
  const stringEncoding = encoding;
  return componentNew(await componentEmbed({ binary, witSource, world: 'w', stringEncoding }), []);
}

/** A component that takes its types from an interface that it imports, as the `use` of a world does. */
export async function typesGuest(): Promise<Uint8Array> {
  const binary = await parse(`(module (func (export "turn") (param i32 i32) (result i32)
    (i32.rem_u (i32.add (local.get 0) (local.get 1)) (i32.const 4))))`);
  const witSource = `package test:types@1.0.0;
    interface compass { enum side { north, east, south, west } record pair { a: side, b: side } type turns = u32; }
    world w { use compass.{side, turns}; export turn: func(at: side, by: turns) -> side; }`;
  return componentNew(await componentEmbed({ binary, witSource, world: 'w' }), []);
}
