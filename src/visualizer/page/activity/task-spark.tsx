import { useMemo } from 'preact/hooks';
import { type Recent, shownSteps } from './activity.ts';
import { taskFigure, wordsOf } from './figures.ts';
import { Sparkline } from './sparkline.tsx';
import './activity.css';

/** What ended of a task, and what of it went wrong; nothing for one that was idle. `task` is `TENANT/TASK`. */
export function TaskSpark({ recent, task }: { readonly recent: Recent; readonly task: string }) {
  const activity = recent.tasks.get(task);
  const { stepSeconds } = recent;
  const figure = useMemo(() => activity && taskFigure(activity, stepSeconds), [activity, stepSeconds]);
  if (figure === undefined) return null;
  const words = wordsOf(figure, Math.round((shownSteps * stepSeconds) / 60));
  return (
    <span class="task-spark" title={words}>
      <Sparkline lines={figure.lines} width={100} height={18} />
      <span class="hidden">{words}</span>
    </span>
  );
}
