/** The tree, folded and unfolded from the keyboard as trees are. */
import { useRef, useState } from 'preact/hooks';
import type { Recent } from '../activity/activity.ts';
import { TaskSpark } from '../activity/task-spark.tsx';
import { useKeys } from '../keyboard/keys.ts';
import { useLink } from '../model/link.ts';
import { countText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { StatusMark } from '../theme/status-mark.tsx';
import { type Actor, type Line, linesOf } from './actor.ts';

/** Unfolded unless the reader folds it. */
function startsExpanded(actor: Actor, level: number): boolean {
  return level <= 2 || actor.children.length <= 6;
}

interface Props {
  readonly root: Actor;
  /** What tasks have done lately; undefined until the node has told. */
  readonly recent: Recent | undefined;
}

export function ActorTree({ root, recent }: Props) {
  const { router } = usePage();
  const place = useRef<HTMLDivElement>(null);
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [active, setActive] = useState(root.key);
  const lines = linesOf(root, (actor, level) => folds.get(actor.key) ?? startsExpanded(actor, level));
  const found = lines.findIndex(({ actor }) => actor.key === active);
  const at = found === -1 ? 0 : found;
  const line = lines[at];

  const fold = (key: string, expanded: boolean) => setFolds(new Map(folds).set(key, expanded));
  const move = (to: number) => {
    const next = lines[Math.max(0, Math.min(lines.length - 1, to))];
    if (next === undefined) return;
    setActive(next.actor.key);
    place.current?.focus({ preventScroll: true });
    document.getElementById(lineId(next))?.scrollIntoView({ block: 'nearest' });
  };
  const toParent = () => line && move(lines.findIndex(({ actor }) => actor.key === line.parent));
  const open = () => line?.actor.link && router.go({ ...line.actor.link, at: undefined });
  const right = () => {
    if (line === undefined || line.actor.children.length === 0) return;
    if (line.expanded) move(at + 1);
    else fold(line.actor.key, true);
  };
  const left = () => {
    if (line?.expanded) fold(line.actor.key, false);
    else toParent();
  };
  useKeys('Tree', [
    { key: 'j', help: 'Down', act: () => move(at + 1) },
    { key: 'ArrowDown', help: 'Down', act: () => move(at + 1) },
    { key: 'k', help: 'Up', act: () => move(at - 1) },
    { key: 'ArrowUp', help: 'Up', act: () => move(at - 1) },
    { key: 'ArrowRight', help: 'Unfold', act: right },
    { key: 'l', help: 'Unfold', act: right },
    { key: 'ArrowLeft', help: 'Fold, or to what it is under', act: left },
    { key: 'h', help: 'Fold, or to what it is under', act: left },
    { key: 'Home', act: () => move(0) },
    { key: 'End', act: () => move(lines.length - 1) },
    { key: 'Enter', help: 'Open it, or its executions', act: open },
    { key: 'Escape', help: 'To the list', act: () => router.go({ view: 'list' }) },
  ]);

  return (
    <div
      class="tree"
      role="tree"
      aria-label="Actors"
      tabIndex={0}
      ref={place}
      aria-activedescendant={line && lineId(line)}
    >
      {lines.map((each) => (
        <TreeLine
          key={each.actor.key}
          line={each}
          recent={recent}
          active={each === line}
          choose={() => setActive(each.actor.key)}
          fold={() => fold(each.actor.key, !each.expanded)}
        />
      ))}
    </div>
  );
}

interface LineProps {
  readonly line: Line;
  readonly recent: Recent | undefined;
  readonly active: boolean;
  readonly choose: () => void;
  readonly fold: () => void;
}

function TreeLine({ line, recent, active, choose, fold }: LineProps) {
  const link = useLink();
  const { actor, level, expanded } = line;
  const folds = actor.children.length > 0;
  return (
    <div
      role="treeitem"
      id={lineId(line)}
      class="line"
      data-kind={actor.kind}
      aria-level={level}
      aria-posinset={line.place}
      aria-setsize={line.siblings}
      aria-expanded={folds ? expanded : undefined}
      aria-selected={active}
      tabIndex={-1}
      onMouseDown={choose}
    >
      {guides(level)}
      <button type="button" class="fold" tabIndex={-1} aria-hidden="true" disabled={!folds} onClick={fold}>
        {folds && <Icon name={expanded ? 'down' : 'right'} size={12} />}
      </button>
      {actor.state !== '' && <StatusMark state={actor.state} status={actor.status} />}
      <span class="line-name">
        {actor.link === undefined ? (
          actor.name
        ) : (
          <a href={link(actor.link)} tabIndex={-1}>
            {actor.name}
          </a>
        )}
      </span>
      <span class="line-facts">
        {actor.facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </span>
      {recent !== undefined && actor.measured !== undefined && (
        <TaskSpark recent={recent} task={actor.measured} />
      )}
      {actor.queueLength > 0 && <span class="badge">{countText(actor.queueLength)} queued</span>}
      {actor.restarts > 0 && (
        <span class="badge warn">
          {countText(actor.restarts)} {actor.restarts === 1 ? 'restart' : 'restarts'}
        </span>
      )}
    </div>
  );
}

function guides(level: number) {
  return Array.from({ length: level - 1 }, (_, index) => (
    <span class="guide" key={index} aria-hidden="true" />
  ));
}

function lineId({ actor }: Line): string {
  return `line-${actor.key}`;
}
