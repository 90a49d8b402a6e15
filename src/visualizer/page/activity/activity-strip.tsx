/** The few numbers that matter, of the last ten minutes. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useMedia } from '../list/media.ts';
import { agoText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import { type Recent, shownSteps } from './activity.ts';
import { watchActivity } from './activity-watch.ts';
import { type Figure, figuresOf, valuesAt, wordsOf } from './figures.ts';
import { Sparkline } from './sparkline.tsx';
import './activity.css';

export function ActivityStrip() {
  const { call, tenants } = usePage();
  const watch = useMemo(() => watchActivity(call, tenants.all, false), [call, tenants]);
  useEffect(() => watch.stop, [watch]);
  const recent = watch.recent.value;
  return recent === undefined ? <div class="activity" /> : <Strip recent={recent} />;
}

/** Of what somebody else asks for. */
export function Strip({ recent }: { readonly recent: Recent }) {
  const { session, download, notices } = usePage();
  const figures = useMemo(() => figuresOf(recent), [recent]);
  const minutes = Math.round((shownSteps * recent.stepSeconds) / 60);
  const caller = session.caller.value;
  const all = () => {
    download('/metrics', '').catch((error: Error) => notices.complain(error.message));
  };
  return (
    <section class="activity" aria-label={`The last ${minutes} minutes`}>
      <ul class="figures">
        {figures.map((each) => (
          <FigureCard key={each.key} figure={each} recent={recent} minutes={minutes} />
        ))}
      </ul>
      {caller?.role === 'admin' && (
        <button
          type="button"
          class="button plain all-metrics"
          title="All numbers of the node, as Prometheus reads them"
          onClick={all}
        >
          /metrics
        </button>
      )}
    </section>
  );
}

interface CardProps {
  readonly figure: Figure;
  readonly recent: Recent;
  readonly minutes: number;
}

function FigureCard({ figure, recent: { stepSeconds }, minutes }: CardProps) {
  const [step, setStep] = useState<number | undefined>(undefined);
  const values = valuesAt(figure, step);
  const single = figure.lines.length === 1;
  const narrow = useMedia('(max-width: 760px)');
  return (
    <li class="figure" data-figure={figure.key}>
      <p class="figure-name">
        {figure.name}
        {step !== undefined && (
          <span class="quiet"> {agoText((shownSteps - 1 - step) * stepSeconds * 1000)}</span>
        )}
      </p>
      <p class="figure-values" aria-hidden="true">
        {figure.lines.map(({ name, color }, at) => (
          <span key={name} style={{ color: `var(--${color})` }} title={name}>
            {single || narrow ? '' : `${name} `}
            <b>{values[at]}</b>
          </span>
        ))}
      </p>
      <p class="hidden">{wordsOf(figure, minutes)}</p>
      <Sparkline lines={figure.lines} width={narrow ? 78 : 150} height={30} pointed={setStep} />
    </li>
  );
}
