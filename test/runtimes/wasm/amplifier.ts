import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';

/** A component whose `amplify` returns a list of 3000 lists (or strings) that are all the same 16 MiB of memory. */
export async function amplifier(type: string): Promise<Uint8Array> {
  const binary = await parse(`(module
    (memory (export "memory") 512)
    (func (export "amplify") (result i32) (local $at i32)
      (loop $next
        (i32.store offset=65536 (local.get $at) (i32.const 8388608))
        (i32.store offset=65540 (local.get $at) (i32.const 16777216))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 24000))))
      (memory.fill (i32.const 8388608) (i32.const 97) (i32.const 16777216))
      (i32.store (i32.const 16) (i32.const 65536))
      (i32.store (i32.const 20) (i32.const 3000))
      (i32.const 16)))`);
  const witSource = `package test:amplifier; world amplifier { export amplify: func() -> ${type}; }`;
  return componentNew(await componentEmbed({ binary, witSource, world: 'amplifier' }), []);
}
