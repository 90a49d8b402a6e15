/** Starts a node with the options of the environment alone. The `spear serve` command is the usual way. */
import { serve } from './serve.ts';

await serve({});
