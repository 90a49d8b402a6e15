import type { GateUse } from './gate.ts';

export const priorities = ['low', 'normal', 'high', 'urgent'] as const;
export type Priority = (typeof priorities)[number];

export function isPriority(text: string | undefined): text is Priority {
  return (priorities as readonly (string | undefined)[]).includes(text);
}

/** Of the milliseconds of slots, each against the others of its tenant that have work. */
export type PriorityWeights = Readonly<Record<Priority, number>>;

export const priorityWeights: PriorityWeights = {
  low: 1,
  normal: 4,
  high: 16,
  urgent: 64,
};

/** Where an execution waits. */
export interface Leaf {
  readonly tenant: string;
  readonly priority: Priority;
  /** Of the request or its task; empty is one for all that have none. */
  readonly fairnessKey: string;
  /** What it has to pass besides a free slot; absent means nothing. */
  readonly gates?: readonly GateUse[];
}
