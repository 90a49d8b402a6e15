import type { Whence } from '../files/port.ts';

/** Where the two versions of the interface differ in memory; offsets and sizes are bytes. */
export interface InterfaceVersion {
  readonly whence: readonly Whence[];
  /** Of `filestat`. */
  readonly stat: {
    readonly linksBytes: 4 | 8;
    readonly links: number;
    readonly size: number;
    readonly accessed: number;
    readonly modified: number;
    readonly changed: number;
    readonly bytes: number;
  };
  /** Of `subscription`. */
  readonly subscription: {
    readonly clock: number;
    readonly timeout: number;
    readonly clockFlags: number;
    readonly bytes: number;
  };
}

/** From `legacy/preview1/witx/typenames.witx` of WebAssembly/WASI. */
export const snapshotPreview1: InterfaceVersion = {
  whence: ['start', 'current', 'end'],
  stat: { linksBytes: 8, links: 24, size: 32, accessed: 40, modified: 48, changed: 56, bytes: 64 },
  subscription: { clock: 16, timeout: 24, clockFlags: 40, bytes: 48 },
};

/**
 * From `legacy/preview0/witx/typenames.witx`: links are counted in 32 bits, and a clock's subscription begins with
 * an identifier of 64 bits that nothing reads.
 */
export const unstable: InterfaceVersion = {
  whence: ['current', 'end', 'start'],
  stat: { linksBytes: 4, links: 20, size: 24, accessed: 32, modified: 40, changed: 48, bytes: 56 },
  subscription: { clock: 24, timeout: 32, clockFlags: 48, bytes: 56 },
};
