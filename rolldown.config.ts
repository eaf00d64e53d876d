import { defineConfig } from 'rolldown';

// One file for `--version` (constants are written into it), one chunk behind each command. Dependencies are bundled too, so that the
// installed product loads few files; cedar-wasm stays outside because it reads its .wasm beside itself.
export default defineConfig({
  input: { main: 'src/cli/main.ts', testing: 'src/testing/index.ts' },
  platform: 'node',
  external: [/^node:/, /^@cedar-policy\//],
  resolve: { mainFields: ['module', 'main'] },
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: 'chunks/[name]-[hash].js' },
  treeshake: { moduleSideEffects: false },
  optimization: { inlineConst: { mode: 'all', pass: 3 } },
});
