import { addressOf } from '../model/address.ts';
import { Icon } from '../theme/icon.tsx';
import { usePage } from './page.ts';
import './notice-list.css';

/** What the page says in passing, in a region that screen readers read out. */
export function NoticeList() {
  const { notices, router } = usePage();
  const here = router.address.value.execution;
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.shown.value.map(({ id, text, bad, execution }) => (
        <div key={id} class="notice" data-tone={bad ? 'failed' : 'completed'}>
          <Icon name={bad ? 'warn' : 'done'} />
          <span>{text}</span>
          {execution !== '' && execution !== here && <a href={addressOf({ execution })}>Show</a>}
          <button
            type="button"
            class="button plain icon"
            aria-label="Dismiss"
            onClick={() => notices.dismiss(id)}
          >
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
