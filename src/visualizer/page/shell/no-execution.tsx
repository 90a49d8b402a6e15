/** An address that leads to no execution. */
import { addressOf } from '../model/address.ts';
import { usePage } from './page.ts';
import '../list/empty-list.css';

export function NoExecution({ title, text }: { readonly title: string; readonly text: string }) {
  const { router } = usePage();
  return (
    <div class="empty" role="alert">
      <h2>{title}</h2>
      <p class="no-execution">{text}</p>
      <p>
        <a href={addressOf({ execution: '', at: undefined }, router.address.value)}>To all executions</a>
      </p>
    </div>
  );
}
