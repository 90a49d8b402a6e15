/** When an execution has its turn among those that wait: its priority and its fairness key. */
import { invalidArgument } from '../../domain/errors.ts';
import { type Priority, priorities } from '../../domain/scheduling/priority.ts';
import { type InvokeFunctionRequest, Priority as Wire } from '../gen/spearlet/function_pb.js';
import { text } from './fields.ts';

interface Turn {
  readonly priority?: Priority;
  readonly fairnessKey?: string;
}

/** The wire has the priorities in their order, from 1. */
export function priorityToWire(priority: Priority = 'normal'): Wire {
  return priorities.indexOf(priority) + 1;
}

/** What a request says, and else its task. Throws invalid_argument, naming the field. */
export function turnFrom(request: Pick<InvokeFunctionRequest, 'priority' | 'fairnessKey'>, task: Turn): Turn {
  const priority = request.priority === Wire.UNSPECIFIED ? task.priority : priorities[request.priority - 1];
  if (request.priority !== Wire.UNSPECIFIED && priority === undefined) {
    const allowed = priorities.map((each, index) => `${each.toUpperCase()} (${index + 1})`).join(', ');
    throw invalidArgument('priority', `${String(request.priority)} is none; allowed are ${allowed}`);
  }
  const fairnessKey = text('fairness_key', request.fairnessKey, 256) || task.fairnessKey;
  return {
    ...(priority !== undefined && priority !== 'normal' && { priority }),
    ...(fairnessKey !== undefined && fairnessKey !== '' && { fairnessKey }),
  };
}
