/** What a node tells its warden, a line of JSON each. */
export type ToWarden =
  /** What runs may go on until then: milliseconds of the monotonic clock that all processes of a machine share. */
  | { readonly type: 'until'; readonly at: number }
  /** Others have taken over: what runs is ended, and never goes on. */
  | { readonly type: 'end' }
  /** The node ends as it should. */
  | { readonly type: 'done' }
  /** Whether it has ended something: `ending` is told before the answer if so, and the answer is `known`. */
  | { readonly type: 'ask' };

export interface WardenOrder {
  /** Folders of cgroups; what runs is in the folders of each. */
  readonly cells: readonly string[];
  /** The socket of the container engine, and what containers of this node are known by; absent where there is none. */
  readonly containers?: { readonly socket: string; readonly label: string };
  /** What has stood still for so long is ended, in milliseconds, and containers that nobody has come for. */
  readonly graceMs: number;
  /** The next run of the node follows its containers again where it comes so soon, in milliseconds. */
  readonly reattachMs: number;
}

/** What the warden tells; `ending` once before the first of what stood still is ended. */
export type FromWarden = 'frozen' | 'thawed' | 'ending' | 'ended' | 'known';
