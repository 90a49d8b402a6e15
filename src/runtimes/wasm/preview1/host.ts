import type { RunContext } from '../guest-host/host/context.ts';
import type { GuestClocks } from './clocks.ts';
import type { DescriptorTable } from './descriptors.ts';
import type { GuestMemory } from './memory.ts';

/** What the functions of the interface work on: all of it is one guest's. */
export interface GuestHost {
  readonly context: RunContext;
  readonly memory: GuestMemory;
  readonly descriptors: DescriptorTable;
  readonly clocks: GuestClocks;
}

/**
 * A function of the interface, without its error number: it answers 0 by returning, and another number by throwing.
 * Its parameters are the numbers of WebAssembly: i32 signed, i64 as a signed bigint.
 */
export type HostCall = (...parameters: never[]) => void;
export type HostCalls = Readonly<Record<string, HostCall>>;
