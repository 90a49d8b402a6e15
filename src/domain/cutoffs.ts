/** What a node runs is ended where the node was cut off from the store for too long; decision 63. */
export interface Cutoffs {
  /** How often all that ran was ended, as far as is known. */
  readonly times: number;
  /** As `times`, with all that has happened by now. Never rejects. */
  known(): Promise<number>;
}
