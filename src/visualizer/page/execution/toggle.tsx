/** A switch in the head of a panel. */
interface Props {
  readonly on: boolean;
  readonly set: (on: boolean) => void;
  readonly label: string;
  readonly hint?: string;
}

export function Toggle({ on, set, label, hint }: Props) {
  return (
    <button type="button" class="toggle" aria-pressed={on} title={hint} onClick={() => set(!on)}>
      {label}
    </button>
  );
}
