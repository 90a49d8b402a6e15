/** Bundles the stage into a folder, as the page itself is bundled. */
import { resolve } from 'node:path';
import { build } from 'vite';

export async function buildStage(folder: string): Promise<void> {
  await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: 'warn',
    base: './',
    build: {
      outDir: resolve(folder),
      emptyOutDir: true,
      target: ['chrome123'],
      assetsInlineLimit: 0,
      modulePreload: false,
      cssCodeSplit: false,
      minify: false,
      rolldownOptions: {
        output: { entryFileNames: 'stage.js', assetFileNames: 'stage[extname]', codeSplitting: false },
      },
    },
  });
}
