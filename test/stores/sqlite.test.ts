import { onTestFinished } from 'vitest';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { storeContract } from './contract.ts';
import { temporaryFolder } from './folder.ts';

storeContract('sqlite', async () => {
  const store = await openSqliteStore({ dataDir: await temporaryFolder(), reserveBytes: 64 * 1024 });
  onTestFinished(() => store.close());
  return store;
});
