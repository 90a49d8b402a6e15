/** The same as the tree, for those who read tables. */
import { useLink } from '../model/link.ts';
import { countText } from '../model/quantity.ts';
import { StatusMark } from '../theme/status-mark.tsx';
import { type Actor, linesOf } from './actor.ts';

export function ActorTable({ root }: { readonly root: Actor }) {
  const link = useLink();
  const lines = linesOf(root, () => true);
  const names = new Map(lines.map(({ actor }) => [actor.key, actor.name]));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard
    <section class="table-scroll" tabIndex={0} aria-label="Actors, as a table">
      <table class="lined">
        <thead>
          <tr>
            <th scope="col">Actor</th>
            <th scope="col">Kind</th>
            <th scope="col">Under</th>
            <th scope="col">State</th>
            <th scope="col">Queued</th>
            <th scope="col">Restarts</th>
            <th scope="col">More</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ actor, parent }) => (
            <tr key={actor.key}>
              <th scope="row">
                {actor.link === undefined ? actor.name : <a href={link(actor.link)}>{actor.name}</a>}
              </th>
              <td>{actor.kind}</td>
              <td>{names.get(parent) ?? ''}</td>
              <td>{actor.state !== '' && <StatusMark state={actor.state} status={actor.status} />}</td>
              <td>{actor.queueLength > 0 ? countText(actor.queueLength) : ''}</td>
              <td>{actor.restarts > 0 ? countText(actor.restarts) : ''}</td>
              <td>{actor.facts.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
