import { defineConfig, type Plugin } from 'rolldown';

/**
 * `import fs from 'node:fs'` makes Node build a namespace object, for which it evaluates every lazy property of the module: an HTTP
 * client of 16 ms in `node:http`, some milliseconds in `node:fs` and `node:util`. Taken as a built-in, the module is itself.
 */
const early = new Set(['node:fs', 'node:http', 'node:net', 'node:os', 'node:path', 'node:util']);
const late = new Set(['node:child_process', 'node:crypto', 'node:dgram', 'node:stream', 'node:tty']);

const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  resolveId: (id, importer) => ((early.has(id) || late.has(id)) && !importer?.includes('node_modules') ? `\0${id}` : null),
  load(id) {
    if (!id.startsWith('\0node:')) return null;
    const name = id.slice(1);
    const names = Object.keys(process.getBuiltinModule(name) ?? {}).filter((key) => /^[A-Za-z]\w*$/.test(key) && key !== 'default');
    return [
      `const builtin = process.getBuiltinModule('${name}');`,
      'export default builtin;',
      ...names.map((key) => `export const ${key} = /* @__PURE__ */ (() => builtin.${key})();`),
    ].join('\n');
  },
};

// One file for `--version` (constants are written into it), one chunk behind each command. Dependencies are bundled too, so that the
// installed product loads few files; cedar-wasm stays outside because it reads its .wasm beside itself.
export default defineConfig({
  input: { main: 'src/cli/main.ts', testing: 'src/testing/index.ts' },
  platform: 'node',
  external: [/^@cedar-policy\//],
  plugins: [leanBuiltins],
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
          test: /node:(?:fs|http|net|os|path|util)$|src\/core\/|src\/daemon\/(?:client|protocol|index)\.ts|src\/cli\/(?:perform|daemon-at-hand)\.ts/,
          priority: 3,
        },
        {
          name: 'launch',
          test: /src\/agents\/|src\/sandbox\/(?:program|mount)\.ts|src\/cli\/(?:run|run\/(?:options|program|environment))\.ts|smol-toml|jsonc-parser/,
          priority: 2,
        },
        {
          name: 'contain',
          test: /node:(?:child_process|crypto|dgram|stream|tty)$|src\/egress\/|src\/sandbox\/|src\/cli\/run\//,
          priority: 1,
        },
      ],
    },
  },
  treeshake: { moduleSideEffects: false, propertyReadSideEffects: false },
  optimization: { inlineConst: { mode: 'all', pass: 3 } },
});
