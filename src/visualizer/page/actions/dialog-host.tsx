/** Shows the dialog that stands open. */
import { HelpDialog } from '../keyboard/help-dialog.tsx';
import { usePage } from '../shell/page.ts';
import { BreakpointsDialog } from './breakpoints-dialog.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { RerunDialog } from './rerun-dialog.tsx';
import { RerunManyDialog } from './rerun-many-dialog.tsx';
import { RestoreDialog } from './restore-dialog.tsx';
import './actions.css';

export function DialogHost() {
  const { dialogs } = usePage();
  const dialog = dialogs.open.value;
  if (dialog === undefined) return null;
  const close = () => {
    if (dialog.kind === 'confirm' && dialog.back !== undefined) dialogs.show(dialog.back);
    else dialogs.close();
  };
  switch (dialog.kind) {
    case 'confirm':
      return <ConfirmDialog key={dialog.title} dialog={dialog} close={close} />;
    case 'rerun':
      return <RerunDialog execution={dialog.execution} close={close} />;
    case 'rerunMany':
      return <RerunManyDialog subject={dialog} close={close} />;
    case 'restore':
      return <RestoreDialog close={close} />;
    case 'breakpoints':
      return <BreakpointsDialog task={dialog.task} execution={dialog.execution} close={close} />;
    case 'help':
      return <HelpDialog close={close} />;
  }
}
