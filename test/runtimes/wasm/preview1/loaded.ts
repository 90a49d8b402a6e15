import { gateModules } from '../../../../src/runtimes/wasm/check/gate.ts';
import { type LoadedProgram, loadProgram } from '../../../../src/runtimes/wasm/guest-host/guest.ts';
import type { RunContext } from '../../../../src/runtimes/wasm/guest-host/host/context.ts';
import type { LoadableProgram } from '../../../../src/runtimes/wasm/hosts/protocol.ts';

/** A core module as a guest host has it after the gate, with so much memory at most. */
export function loadModule(
  bytes: Uint8Array,
  facts: Partial<LoadableProgram> = {},
  limitMiB = 1,
): Promise<LoadedProgram> {
  const [gated] = gateModules([{ bytes, instances: 1 }], limitMiB * 1024 * 1024);
  if (gated === undefined) throw new Error('the gate gave nothing back');
  return loadProgram(
    {
      key: 1,
      source: '',
      cores: [{ file: 'module.wasm', instances: 1, ...gated }],
      imports: [],
      command: '_start',
      functions: [],
      name: 'module',
      args: [],
      environment: {},
      preopens: {},
      unsafePreopens: false,
      network: [],
      warm: { min: 0, max: 1, idleTimeoutMs: 1000, startAhead: false },
      ...facts,
    },
    '',
  );
}

export function contextWith(input: string): RunContext & { readonly output: string[] } {
  const output: string[] = [];
  return {
    input: Buffer.from(input),
    inputAt: 0,
    args: ['module'],
    environment: [],
    write: (_stream, bytes) => output.push(Buffer.from(bytes).toString()),
    exitCode: undefined,
    output,
  };
}
