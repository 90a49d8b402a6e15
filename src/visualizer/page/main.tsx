/** The visualizer: what a browser loads from a node. */
import './theme/tokens.css';
import './theme/base.css';
import { render } from 'preact';
import { LinkContext, linkWithin } from './model/link.ts';
import { Gate } from './shell/gate.tsx';
import { PageContext } from './shell/page.ts';
import { startPage } from './shell/start.ts';

const place = document.getElementById('page');
if (place === null) throw new Error('the document has no place for the page');
const page = startPage();
render(
  <PageContext.Provider value={page}>
    <LinkContext.Provider value={linkWithin(page.tenants.shown)}>
      <Gate />
    </LinkContext.Provider>
  </PageContext.Provider>,
  place,
);
