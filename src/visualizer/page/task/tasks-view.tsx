/** The tasks that are registered, or the one that is open. */
import { Ago } from '../list/ticking.tsx';
import { useLink } from '../model/link.ts';
import { usePage } from '../shell/page.ts';
import { TaskView } from './task-view.tsx';
import '../batch/batch.css';

export function TasksView() {
  const { task } = usePage().router.address.value;
  return task === '' ? <TaskList /> : <TaskView key={task} task={task} />;
}

function TaskList() {
  const { tasks, tenants } = usePage();
  const link = useLink();
  return (
    <section class="batch-view" aria-label="Tasks">
      <header class="batch-head">
        <h1>Tasks</h1>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard */}
      <section class="batch-body" tabIndex={0} aria-label="All tasks">
        {tasks.value.length === 0 ? (
          <p class="empty quiet">
            No task is registered. <code>spear task register</code> registers one.
          </p>
        ) : (
          <table class="batch-table">
            <thead>
              <tr>
                <th scope="col">Task</th>
                <th scope="col">Runtime</th>
                <th scope="col">Registered</th>
                <th scope="col">What it is</th>
              </tr>
            </thead>
            <tbody>
              {tasks.value.map(({ id, tenant, name, runtime, updatedAt, description }) => (
                <tr key={id}>
                  <td>
                    <a href={link({ view: 'tasks', task: tenants.all ? id : name })}>
                      {tenants.all && <span class="quiet">{tenant}/</span>}
                      {name}
                    </a>
                  </td>
                  <td>{runtime}</td>
                  <td>{updatedAt !== undefined && <Ago instant={updatedAt} />}</td>
                  <td>{description}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
    </section>
  );
}
