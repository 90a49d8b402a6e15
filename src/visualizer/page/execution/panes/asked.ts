/** Something that has to be asked for. */
import { useEffect, useState } from 'preact/hooks';

export type Asked<T> =
  | { readonly state: 'asking' }
  | { readonly state: 'there'; readonly value: T }
  | { readonly state: 'refused'; readonly message: string };

/** Asks once for each `key`; nothing where there is nobody to ask. What comes too late is dropped. */
export function useAsked<T>(ask: (() => Promise<T>) | undefined, key: string): Asked<T> | undefined {
  const [asked, setAsked] = useState<Asked<T>>({ state: 'asking' });
  useEffect(() => {
    if (ask === undefined) return undefined;
    let wanted = true;
    const tell = (next: Asked<T>): void => {
      if (wanted) setAsked(next);
    };
    ask().then(
      (value) => tell({ state: 'there', value }),
      (error: unknown) =>
        tell({ state: 'refused', message: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      wanted = false;
    };
  }, [ask === undefined, key]);
  return ask === undefined ? undefined : asked;
}
