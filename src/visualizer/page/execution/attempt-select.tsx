/** Which attempt a reader looks at; nothing where there is no choice. */
interface Props {
  readonly attempts: number;
  /** 0 for all of them. */
  readonly attempt: number;
  readonly set: (attempt: number) => void;
}

/** Only the last of very many are offered. */
const most = 1000;

export function AttemptSelect({ attempts, attempt, set }: Props) {
  if (attempts <= 1) return null;
  return (
    <select
      class="small-field"
      aria-label="Attempt"
      value={String(attempt)}
      onChange={(event) => set(Number(event.currentTarget.value))}
    >
      <option value="0">All attempts</option>
      {Array.from({ length: Math.min(attempts, most) }, (_, place) => (
        <option key={attempts - place} value={String(attempts - place)}>
          Attempt {attempts - place}
        </option>
      ))}
    </select>
  );
}
