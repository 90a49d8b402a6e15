/** What is shown of a node that does not know who asks. */
import { useEffect } from 'preact/hooks';
import { usePage } from '../shell/page.ts';
import '../list/empty-list.css';

export function SignIn() {
  const { session } = usePage();
  useEffect(() => {
    document.title = 'Sign in · Spear';
  }, []);
  const fault = session.fault.value;
  return (
    <main class="empty">
      <h1>Sign in to this node</h1>
      {fault !== '' && <p role="alert">{fault}</p>}
      <p>Run this on the machine of the node, and open the link that it prints:</p>
      <div class="command">
        <pre>
          <code>spear page</code>
        </pre>
      </div>
      <p class="quiet">
        The link works once, within a minute. You stay signed in for 12 hours, or until the node restarts or
        the token that the link was made with is revoked.
      </p>
    </main>
  );
}
