import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';

const starts = {
  /** Remembers when. */
  well: '(global.set $born (call $now))',
  traps: 'unreachable',
  /** Never gets to its end. */
  hangs: '(loop $forever (br $forever))',
} as const;

/**
 * A component that does something when it is instantiated. `born` returns when that was, in nanoseconds of
 * `process.hrtime`; `count` how often it was called in its instance, and `boom` traps.
 */
export async function startingGuest(start: keyof typeof starts = 'well'): Promise<Uint8Array> {
  const binary = await parse(`(module
    (import "wasi:clocks/monotonic-clock@0.2.3" "now" (func $now (result i64)))
    (memory (export "memory") 1)
    (global $born (mut i64) (i64.const 0))
    (global $calls (mut i32) (i32.const 0))
    (func $start ${starts[start]})
    (start $start)
    (func (export "born") (result i64) (global.get $born))
    (func (export "boom") unreachable)
    (func (export "count") (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (global.get $calls)))`);
  const witSource = `package test:starting;
    world starting {
      import wasi:clocks/monotonic-clock@0.2.3;
      export born: func() -> u64;
      export boom: func();
      export count: func() -> u32;
    }
    package wasi:clocks@0.2.3 { interface monotonic-clock { now: func() -> u64; } }`;
  return componentNew(await componentEmbed({ binary, witSource, world: 'starting' }), []);
}
