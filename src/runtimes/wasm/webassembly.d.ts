// The part of the WebAssembly JavaScript API that the runtime uses. TypeScript has it only in its library for
// browsers, which would put their other names in scope too.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }

  interface Memory {
    readonly buffer: ArrayBuffer;
    /** @returns pages of 64 KiB before */
    grow(pages: number): number;
  }

  const Memory: abstract new () => Memory;

  class RuntimeError extends Error {}

  /** One that a guest threw. Not an Error. */
  class Exception {}

  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports?: object);
  }

  function compile(bytes: Uint8Array): Promise<Module>;
  function validate(bytes: Uint8Array): boolean;
}
