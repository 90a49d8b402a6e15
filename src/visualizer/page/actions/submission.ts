/** A form that asks the node for something: what it is doing, and what went wrong. */
import { useState } from 'preact/hooks';
import { faultText } from '../feed/call.ts';

export interface Submission {
  readonly busy: boolean;
  /** Empty where nothing went wrong. */
  readonly fault: string;
  submit(event: Event): void;
}

export function useSubmission(act: () => Promise<void>): Submission {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFault('');
    act()
      .catch((error: unknown) => setFault(faultText(error)))
      .finally(() => setBusy(false));
  };
  return { busy, fault, submit };
}
