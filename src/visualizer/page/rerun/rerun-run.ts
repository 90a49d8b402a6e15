/** One run of executions again, from the count before it to its end. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { nodeNow } from '../clock.ts';
import { type CallForLines, faultText } from '../feed/call.ts';
import { type RerunProgress, refusedMessages, rerunProgressOf } from '../model/rerun.ts';
import type { RerunExecutionsResponseJson } from '../wire.ts';

export interface RerunChoice {
  /** Also what was run again already. */
  readonly again: boolean;
  /** `newest`, an alias or a number; empty for the one that each had. */
  readonly revision: string;
}

export interface RerunState {
  /** `asking`: it is counted, and nothing is run. `left`: it was stopped, or the node was lost. */
  readonly phase: 'counting' | 'asking' | 'running' | 'left' | 'done';
  /** Undefined until the node has answered. */
  readonly progress: RerunProgress | undefined;
  /** What the node says of some that it does not take. */
  readonly messages: readonly string[];
  /** When the run began, by the node's clock; 0 before. */
  readonly startedAt: number;
  /** Empty where nothing went wrong. */
  readonly fault: string;
}

export interface RerunRun {
  readonly state: ReadonlySignal<RerunState>;
  /** Counts what would run again. */
  count(choice: RerunChoice): void;
  /** Begins, or goes on with what was left. */
  start(choice: RerunChoice): void;
  /** What was started runs to its end. */
  stop(): void;
}

const method = 'RerunService/RerunExecutions';
const mostMessages = 3;
const before: RerunState = {
  phase: 'counting',
  progress: undefined,
  messages: [],
  startedAt: 0,
  fault: '',
};

/** `request` says which, as `filter` or `executionIds`. */
export function createRerunRun(
  callForLines: CallForLines,
  request: Readonly<Record<string, unknown>>,
): RerunRun {
  const state = signal(before);
  let running: AbortController | undefined;

  const run = async (message: Readonly<Record<string, unknown>>): Promise<void> => {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const each = (json: RerunExecutionsResponseJson): void => {
      if (mine.signal.aborted) return;
      const messages = [...new Set([...state.peek().messages, ...refusedMessages(json)])];
      state.value = {
        ...state.peek(),
        progress: rerunProgressOf(json),
        messages: messages.slice(0, mostMessages),
      };
    };
    const isDry = state.peek().phase === 'counting';
    const settle = (fault: string): void => {
      const { progress } = state.peek();
      const isDone = progress?.done === true && fault === '';
      const isLost = !isDone && fault === '';
      const phase = isDry ? 'asking' : isDone ? 'done' : 'left';
      state.value = { ...state.peek(), phase, fault: isLost ? 'the node was lost on the way' : fault };
    };
    try {
      await callForLines<RerunExecutionsResponseJson>(
        method,
        { ...request, ...message },
        { signal: mine.signal, each },
      );
      if (!mine.signal.aborted) settle('');
    } catch (error) {
      if (!mine.signal.aborted) settle(faultText(error));
    }
  };
  return {
    state,
    count: (choice) => {
      state.value = before;
      void run({ ...choice, dryRun: true });
    },
    start: (choice) => {
      const { phase, progress, startedAt } = state.peek();
      const rerunId = phase === 'left' ? (progress?.rerunId ?? '') : '';
      state.value = { ...before, phase: 'running', startedAt: startedAt || nodeNow() };
      void run({ ...choice, rerunId });
    },
    stop: () => {
      running?.abort();
      if (state.peek().phase === 'running') state.value = { ...state.peek(), phase: 'left' };
    },
  };
}
