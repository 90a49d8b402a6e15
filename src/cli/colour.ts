import { styleText } from 'node:util';
import type { ExecutionResult } from '../server/gen/spearlet/function_pb.js';
import { ExecutionStatus } from '../server/gen/spearlet/function_pb.js';
import type { CommandOutput } from './output.ts';
import type { Shell } from './shell.ts';

type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Colours for a terminal that takes them (https://no-color.org); elsewhere the text as it is. */
export function paintFor(output: CommandOutput, { env }: Pick<Shell, 'env'>): Paint {
  const isColoured = output.isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  if (!isColoured) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

/** How a state looks: a colour, and a mark for who sees none. */
export function lookOf({ status, state }: Pick<ExecutionResult, 'status' | 'state'>): {
  readonly style: Style;
  readonly mark: string;
} {
  if (state === 'pending.held' || state === 'running.suspended') return { style: 'magenta', mark: '=' };
  if (state === 'running.backingOff') return { style: 'yellow', mark: '~' };
  if (state === 'running.stopping') return { style: 'red', mark: '!' };
  switch (status) {
    case ExecutionStatus.RUNNING:
      return { style: 'cyan', mark: '>' };
    case ExecutionStatus.COMPLETED:
      return { style: 'green', mark: '+' };
    case ExecutionStatus.FAILED:
    case ExecutionStatus.TIMED_OUT:
      return { style: 'red', mark: 'x' };
    case ExecutionStatus.CANCELLED:
      return { style: 'gray', mark: '-' };
    default:
      return { style: 'yellow', mark: '.' };
  }
}
