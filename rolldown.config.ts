import { defineConfig, type Plugin } from 'rolldown';

/**
 * `import http from 'node:http'` makes Node build a namespace object, for which it evaluates every lazy property of the module, an HTTP
 * client of 16 ms among them. Taken as a built-in, the module is itself and nothing else is loaded.
 */
const leanHttp: Plugin = {
  name: 'lean-http',
  resolveId: (id) => (id === 'node:http' ? '\0lean-http' : null),
  load: (id) => (id === '\0lean-http' ? "export default process.getBuiltinModule('node:http');" : null),
};

// One file for `--version` (constants are written into it), one chunk behind each command. Dependencies are bundled too, so that the
// installed product loads few files; cedar-wasm stays outside because it reads its .wasm beside itself.
export default defineConfig({
  input: { main: 'src/cli/main.ts', testing: 'src/testing/index.ts' },
  platform: 'node',
  external: [/^@cedar-policy\//],
  plugins: [leanHttp],
  resolve: { mainFields: ['module', 'main'] },
  output: {
    dir: 'dist',
    format: 'esm',
    cleanDir: true,
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Loading a file costs more than its length: what `run` needs before it asks the daemon is one chunk, what it needs after is another.
    codeSplitting: {
      groups: [
        {
          name: 'base',
          test: /lean-http|src\/core\/|src\/daemon\/(?:client|protocol|index)\.ts|src\/cli\/(?:perform|daemon-at-hand)\.ts/,
          priority: 3,
        },
        { name: 'launch', test: /src\/agents\/|src\/cli\/run|src\/sandbox\/(?:program|mount)\.ts|smol-toml|jsonc-parser/, priority: 1 },
        {
          name: 'contain',
          test: /src\/egress\/|src\/sandbox\/|src\/cli\/run\/(?:contain|session-egress|signals|status-line)\.ts/,
          priority: 2,
        },
      ],
    },
  },
  treeshake: { moduleSideEffects: false },
  optimization: { inlineConst: { mode: 'all', pass: 3 } },
});
