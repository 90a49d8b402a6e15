/** How wide a sign of the fixed font is, in pixels. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

const sample = 100;

export function useSignWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(7.4);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const measure = document.createElement('span');
    measure.className = 'sign-sample';
    measure.textContent = '0'.repeat(sample);
    element.append(measure);
    const measured = measure.getBoundingClientRect().width / sample;
    measure.remove();
    if (measured > 0) setWidth(measured);
  }, [ref]);
  return width;
}
