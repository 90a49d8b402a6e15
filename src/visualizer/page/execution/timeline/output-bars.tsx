/** How much was written when: stdout upwards, stderr on top of it. */
import type { Density } from './density.ts';

interface Props {
  readonly density: Density;
  readonly left: number;
  readonly width: number;
  readonly top: number;
  readonly height: number;
}

export function OutputBars({ density, left, width, top, height }: Props) {
  const { stdout, stderr, most } = density;
  if (most === 0) return null;
  const step = width / stdout.length;
  // A single line beside a flood would be nothing: the scale is logarithmic, and what there is has two pixels at least.
  const tall = (bytes: number) =>
    bytes === 0 ? 0 : 2 + (Math.log1p(bytes) / Math.log1p(most)) * (height - 2);
  let out = '';
  let err = '';
  stdout.forEach((bytes, bar) => {
    const errors = stderr[bar] ?? 0;
    const all = tall(bytes + errors);
    if (all === 0) return;
    const share = errors === 0 ? 0 : Math.max(2, (all * errors) / (bytes + errors));
    const x = (left + bar * step).toFixed(1);
    const wide = Math.max(1, step - 1).toFixed(1);
    const base = top + height;
    if (bytes > 0) out += `M${x} ${base}h${wide}v${-(all - share).toFixed(1)}h-${wide}z`;
    if (errors > 0) err += `M${x} ${(base - all + share).toFixed(1)}h${wide}v${-share.toFixed(1)}h-${wide}z`;
  });
  return (
    <g class="output-bars">
      <path class="from-stdout" d={out} />
      <path class="from-stderr" d={err} />
    </g>
  );
}
