/** The limit to measure durability against: Spear as it is, with its store in memory. */
import { resolveConfig } from '../src/config.ts';
import { startNode } from '../src/node/node.ts';
import { openLog } from '../src/telemetry/logger.ts';
import { createMemoryStore } from '../test/support/memory-store/store.ts';

const config = resolveConfig({});
const node = await startNode(config, openLog({ level: config.logLevel, format: 'json' }), {
  store: createMemoryStore(),
});
process.once('SIGTERM', () => void node.drain().then(() => process.exit(0)));
