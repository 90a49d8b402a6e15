/** Loaded into a server in a child process (`--import`): it answers each message of its parent with what it uses. */
export interface Usage {
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  /** Active resources by kind. */
  readonly handles: Readonly<Record<string, number>>;
}

process.on('message', () => {
  // Twice: what the first run finalizes is free only after the second.
  globalThis.gc?.();
  setImmediate(() => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    const handles: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
    process.send?.({ heapUsed, arrayBuffers, rss, handles } satisfies Usage);
  });
});
// The parent's channel alone does not keep the server alive.
process.channel?.unref();
