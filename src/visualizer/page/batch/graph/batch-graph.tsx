/** A batch as a graph: a box for the members of a layer and a task, however many they are. */
import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { addressOf, layersOf, layersText } from '../../model/address.ts';
import type { Batch } from '../../model/batch.ts';
import type { MemberGroup, MemberGroups } from '../../model/batch-groups.ts';
import { countText } from '../../model/quantity.ts';
import { usePage } from '../../shell/page.ts';
import { CountBar } from '../count-bar.tsx';
import { type Box, boxHeight, boxWidth, planOf } from './graph-plan.ts';
import { watchGroups } from './groups-watch.ts';
import './graph.css';

interface Props {
  readonly watch: { readonly batch: ReadonlySignal<Batch | undefined> };
  readonly batch: Batch;
}

export function BatchGraph({ watch, batch }: Props) {
  const { call, router } = usePage();
  const address = router.address.value;
  const groups = useMemo(() => watchGroups(call, watch.batch, address.zoom), [call, watch, address.zoom]);
  useEffect(() => groups.stop, [groups]);
  const known = groups.groups.value;
  const refusal = groups.refusal.value;
  const zoom = layersOf(address.zoom);
  return (
    <section class="batch-part" aria-label="Graph">
      <header class="graph-head">
        <h2>Graph</h2>
        {zoom !== undefined && (
          <p>
            {layerWords(zoom)} of {countText(batch.layers)} ·{' '}
            <a href={addressOf({ zoom: '' }, address)}>Show all layers</a>
          </p>
        )}
      </header>
      {refusal !== '' ? (
        <p role="alert">The node does not tell: {refusal}.</p>
      ) : known === undefined ? (
        <p class="quiet">Counting the members…</p>
      ) : (
        <Drawing groups={known} />
      )}
    </section>
  );
}

function Drawing({ groups }: { readonly groups: MemberGroups }) {
  const { router } = usePage();
  const address = router.address.value;
  const plan = useMemo(() => planOf(groups), [groups]);
  /** The box whose links are to stand out. */
  const [lit, setLit] = useState(-1);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard */}
      <section class="graph-frame" tabIndex={0} aria-label="Drawing">
        <div class="graph" style={{ width: `${plan.width}px`, height: `${plan.height}px` }}>
          <svg width={plan.width} height={plan.height} aria-hidden="true">
            <defs>
              <marker
                id="graph-head"
                viewBox="0 0 8 8"
                refX="6"
                refY="4"
                markerWidth="8"
                markerHeight="8"
                markerUnits="userSpaceOnUse"
                orient="auto"
              >
                <path d="M0 0 8 4 0 8z" />
              </marker>
            </defs>
            {plan.ways.map(({ from, to, count, path }) => (
              <path
                key={`${from} ${to}`}
                class="graph-way"
                d={path}
                stroke-width={1.2 + Math.log10(count) * 0.6}
                data-lit={lit < 0 ? undefined : String(from === lit || to === lit)}
                marker-end="url(#graph-head)"
              />
            ))}
          </svg>
          {plan.bands.map((band) => (
            <p key={band.first} class="graph-band" style={{ top: `${band.y}px`, height: `${boxHeight}px` }}>
              {band.last > band.first ? (
                <a href={addressOf({ zoom: layersText(band) }, address)} title="Show these layers one by one">
                  {layerWords(band)}
                </a>
              ) : (
                layerWords(band)
              )}
            </p>
          ))}
          {plan.boxes.map((box) => (
            <GroupBox key={box.place} box={box} groups={groups} light={setLit} />
          ))}
        </div>
      </section>
      {plan.leftOut > 0 && <p class="quiet">The thinnest {countText(plan.leftOut)} links are not drawn.</p>}
    </>
  );
}

interface BoxProps {
  readonly box: Box;
  readonly groups: MemberGroups;
  readonly light: (place: number) => void;
}

function GroupBox({ box: { group, place, x, y }, groups, light }: BoxProps) {
  const { router } = usePage();
  const address = router.address.value;
  const layers = layersText(group.layers);
  const chosen = address.layers === layers && address.task === group.task;
  const name = nameOf(group);
  const follows = groups.links
    .filter(({ to }) => to === place)
    .flatMap(({ from }) => groups.groups[from] ?? [])
    .map((each) => `${nameOf(each)} of ${layerWords(each.layers)}`);
  const { failed, timedOut } = group.counts;
  return (
    <a
      class="graph-box"
      href={addressOf(
        // A second press takes the choice back.
        chosen ? { layers: '', task: '' } : { layers, task: group.task, statuses: [], code: '' },
        address,
      )}
      style={{ left: `${x}px`, top: `${y}px`, width: `${boxWidth}px`, height: `${boxHeight}px` }}
      aria-current={chosen ? 'true' : undefined}
      data-failed={failed + timedOut > 0 ? '' : undefined}
      onMouseEnter={() => light(place)}
      onMouseLeave={() => light(-1)}
      onFocus={() => light(place)}
      onBlur={() => light(-1)}
    >
      <span class="hidden">{layerWords(group.layers)}, </span>
      <span class="graph-name">
        <b title={name}>{name}</b> {countText(group.members)}
      </span>{' '}
      <CountBar batch={group} />
      {group.unknown > 0 && <span>{countText(group.unknown)} deleted</span>}
      {follows.length > 0 && <span class="hidden">; follows {follows.slice(0, 6).join(', ')}</span>}
    </a>
  );
}

function nameOf({ task, tasks }: MemberGroup): string {
  if (task !== '') return task;
  return tasks > 1 ? `${countText(tasks)} tasks` : 'deleted';
}

function layerWords({ first, last }: MemberGroup['layers']): string {
  return first === last ? `Layer ${countText(first)}` : `Layers ${countText(first)}–${countText(last)}`;
}
