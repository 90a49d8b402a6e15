import { Icon } from '../theme/icon.tsx';

/** What went wrong, where it did; nothing while all is well. */
export function FaultLine({ text }: { readonly text: string }) {
  return (
    <p class="fault-line" role="alert">
      {text !== '' && (
        <>
          <Icon name="warn" /> {text}
        </>
      )}
    </p>
  );
}
