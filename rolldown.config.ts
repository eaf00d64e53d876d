import { defineConfig, type Plugin } from 'rolldown';

/**
 * `import fs from 'node:fs'` makes Node build a namespace object, for which it evaluates every lazy property of the module: an HTTP
 * client of 16 ms in `node:http`, some milliseconds in `node:fs` and `node:util`. Taken as a built-in, the module is itself.
 */
const early = new Set(['node:fs', 'node:http', 'node:net', 'node:os', 'node:path', 'node:util']);
const late = new Set(['node:child_process', 'node:crypto', 'node:dgram', 'node:stream', 'node:tty']);

/** Files that are loaded before a program starts inside. They have built-ins of their own, so that nobody else's use of a lazy property counts. */
const base =
  /src\/core\/(?!place|product)|src\/daemon\/(?:client|protocol|index|session-line|lines|watch|fault)\.ts|src\/cli\/(?:perform|daemon-at-hand)\.ts/;
const launch = /src\/agents\/|src\/sandbox\/(?:program|mount)\.ts|src\/cli\/(?:run|run\/(?:options|program|environment))\.ts/;
const contain = /src\/sandbox\/|src\/egress\/trust-env\.ts|src\/cli\/run\/(?!session-egress|refuse-locally)/;
const egress = /src\/egress\/|src\/cli\/run\/session-egress\.ts/;
const first = /src\/core\/(?:place|product)\.ts|src\/cli\/compile-cache\.ts/;
const launching = new RegExp([first, base, launch, contain, egress].map(({ source }) => source).join('|'));

const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  resolveId(id, importer = '') {
    if (!(early.has(id) || late.has(id)) || importer.includes('node_modules')) return null;
    return `\0${id}${launching.test(importer) ? '?launch' : ''}`;
  },
  load(id) {
    if (!id.startsWith('\0node:')) return null;
    const [name = ''] = id.slice(1).split('?');
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
      includeDependenciesRecursively: false,
      groups: [
        { name: 'first', test: (id) => first.test(id) || /^\0node:(?:os|path)\?launch$/.test(id), priority: 5 },
        { name: 'base', test: (id) => base.test(id) || /^\0node:(?:fs|net|util)\?launch$/.test(id), priority: 4 },
        { name: 'launch', test: (id) => launch.test(id) || /smol-toml|jsonc-parser/.test(id), priority: 3 },
        { name: 'contain', test: (id) => contain.test(id) || /^\0node:(?:child_process|tty|stream|dgram)\?launch$/.test(id), priority: 2 },
        { name: 'egress', test: (id) => egress.test(id), priority: 1 },
      ],
    },
  },
  treeshake: { moduleSideEffects: false, propertyReadSideEffects: false },
  optimization: { inlineConst: { mode: 'all', pass: 3 } },
});
