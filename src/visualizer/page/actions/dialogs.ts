/** Which dialog stands open. One at a time. */
import { type ReadonlySignal, signal } from '@preact/signals';

/** Executions that are to run again. */
export interface RerunSubject {
  /** Which, as the sentence `Run … again` has it. */
  readonly what: string;
  /** `filter` or `executionIds` of RerunExecutionsRequest. */
  readonly request: Readonly<Record<string, unknown>>;
}

export interface Confirmation {
  readonly kind: 'confirm';
  readonly title: string;
  /** What it will do, a paragraph each. */
  readonly text: readonly string[];
  readonly button: string;
  readonly danger: boolean;
  /** A line for the reader to write, where one is wanted. */
  readonly field?: string;
  /** What stands open again after it, acted or not. */
  readonly back?: Dialog;
  run(line: string): Promise<void>;
}

export type Dialog =
  | Confirmation
  | { readonly kind: 'rerun'; readonly execution: string }
  | ({ readonly kind: 'rerunMany' } & RerunSubject)
  | { readonly kind: 'restore' }
  | { readonly kind: 'breakpoints'; readonly task?: string; readonly execution?: string }
  | { readonly kind: 'help' };

export interface Dialogs {
  readonly open: ReadonlySignal<Dialog | undefined>;
  show(dialog: Dialog): void;
  close(): void;
}

export function createDialogs(): Dialogs {
  const open = signal<Dialog | undefined>(undefined);
  return {
    open,
    show: (dialog) => {
      open.value = dialog;
    },
    close: () => {
      open.value = undefined;
    },
  };
}
