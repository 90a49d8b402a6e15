/** The page, or the way into it. */
import { SignIn } from '../session/sign-in.tsx';
import { App } from './app.tsx';
import { usePage } from './page.ts';

export function Gate() {
  return usePage().session.state.value === 'shut' ? <SignIn /> : <App />;
}
