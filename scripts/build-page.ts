/**
 * Builds the visualizer's page into `src/visualizer/gen`, or into the folder that is given. The same sources give the
 * same bytes: the result is committed, and `check-page.ts` holds it against the sources.
 */
import { resolve } from 'node:path';
import { build, type InlineConfig, type Rolldown } from 'vite';

const root = resolve(import.meta.dirname, '..');

export async function buildPage(folder: string): Promise<void> {
  await build(configOf(folder));
}

/**
 * Builds it now, and again whenever a source of it changes, until the answer is closed. Resolves after the first
 * build; Vite says on stderr what does not build.
 */
export async function watchPage(folder: string): Promise<Pick<Rolldown.RolldownWatcher, 'close'>> {
  const config = configOf(folder);
  const watcher = await build({ ...config, build: { ...config.build, watch: {} } });
  if (!('close' in watcher)) throw new Error('the build of the page does not watch');
  const first = Promise.withResolvers<void>();
  watcher.on('event', (event) => {
    if (event.code === 'ERROR' || event.code === 'END') first.resolve();
  });
  await first.promise;
  return watcher;
}

function configOf(folder: string): InlineConfig {
  return {
    root: resolve(root, 'src/visualizer/page'),
    configFile: false,
    logLevel: 'warn',
    base: './',
    build: {
      outDir: folder,
      emptyOutDir: true,
      // What has light-dark(), <dialog> and nested CSS.
      target: ['chrome123', 'firefox128', 'safari17.5'],
      // The page's content policy allows no data: fonts or scripts, and there is nothing else to inline.
      assetsInlineLimit: 0,
      modulePreload: false,
      cssCodeSplit: false,
      reportCompressedSize: false,
      rolldownOptions: {
        output: {
          entryFileNames: 'page.js',
          assetFileNames: 'page[extname]',
          codeSplitting: false,
        },
      },
    },
  };
}

if (import.meta.main) await buildPage(resolve(process.argv[2] ?? resolve(root, 'src/visualizer/gen')));
