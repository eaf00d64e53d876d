import { defineConfig } from 'rolldown';

// One small file for `--version`, one chunk behind each command. Dependencies are bundled too, so that the installed product
// loads few files; cedar-wasm stays outside because it reads its .wasm beside itself.
export default defineConfig({
  input: { main: 'src/cli/main.ts', testing: 'src/testing/index.ts' },
  platform: 'node',
  external: [/^node:/, /^@cedar-policy\//],
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: 'chunks/[name]-[hash].js', comments: false },
  treeshake: { moduleSideEffects: false },
});
