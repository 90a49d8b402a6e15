import { useRef } from 'preact/hooks';
import { useLink } from '../model/link.ts';
import { Icon } from '../theme/icon.tsx';
import { usePage } from './page.ts';
import './notice-list.css';

/** What the page says in passing, below everything else, in a region that screen readers read out. */
export function NoticeList() {
  const link = useLink();
  const { notices, router } = usePage();
  const place = useRef<HTMLDivElement>(null);
  const here = router.address.value.execution;
  const dismiss = (id: number) => {
    leaveFocus(place.current);
    notices.dismiss(id);
  };
  return (
    <div
      ref={place}
      class="notices"
      role="status"
      aria-live="polite"
      onMouseEnter={() => notices.hold(true)}
      onMouseLeave={() => notices.hold(false)}
      onFocusIn={() => notices.hold(true)}
      onFocusOut={() => notices.hold(false)}
    >
      {notices.shown.value.map(({ id, text, bad, execution }) => (
        <div key={id} class="notice" data-tone={bad ? 'failed' : 'completed'}>
          <Icon name={bad ? 'warn' : 'done'} />
          <span>{text}</span>
          {execution !== '' && execution !== here && <a href={link({ execution })}>Show</a>}
          <button
            type="button"
            class="button plain icon"
            aria-label="Dismiss"
            title="Dismiss (d takes all)"
            onClick={() => dismiss(id)}
          >
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}

/** Whoever dismisses one by the keyboard goes on at the next, or at the content. */
function leaveFocus(place: HTMLDivElement | null): void {
  const buttons: HTMLElement[] = [...(place?.querySelectorAll('button') ?? [])];
  const index = buttons.indexOf(document.activeElement as HTMLElement);
  if (index === -1) return;
  (buttons[index + 1] ?? buttons[index - 1] ?? document.getElementById('main'))?.focus();
}
