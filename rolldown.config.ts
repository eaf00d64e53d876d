import crypto from 'node:crypto';
import { defineConfig, type InputOptions, type Plugin } from 'rolldown';

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

/** `run` is built by itself, below: the command line finds it beside itself. */
const launchApart: Plugin = {
  name: 'launch-apart',
  resolveId: (id, importer) =>
    id === './launch.ts' && importer?.endsWith('src/cli/main.ts') ? { id: './launch.js', external: true } : null,
};

/**
 * Node hands a source that is not all ASCII to V8 with two bytes for each character. In code, a character outside of it stands in a literal
 * or in a comment, where the escape means the same; a raw template would be the exception, and there is none.
 */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      if (/String\.raw`[^`]*[^\0-\x7f]/.test(chunk.code)) throw new Error(`${chunk.fileName} has a raw template that is not ASCII`);
      chunk.code = chunk.code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

/** What `src/sandbox/compiled.ts` names its files by: it changes with any of the code that they may be made from. */
const hashOfBuild: Plugin = {
  name: 'hash-of-build',
  generateBundle(_options, bundle) {
    const chunks = Object.values(bundle).filter((output) => output.type === 'chunk');
    const hash = crypto.createHash('sha256');
    for (const { code } of chunks.toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1))) hash.update(code);
    const text = hash.digest('hex').slice(0, 12);
    for (const chunk of chunks) chunk.code = chunk.code.replaceAll('@hash of the build@', text);
  },
};

const shared: InputOptions = {
  platform: 'node',
  external: /^@cedar-policy\//,
  resolve: { mainFields: ['module', 'main'] },
  preserveEntrySignatures: 'allow-extension',
  treeshake: { moduleSideEffects: false, propertyReadSideEffects: false },
  optimization: { inlineConst: { mode: 'all', pass: 3 } },
};

// One file for `--version` (constants are written into it), one chunk behind each command. Dependencies are bundled too, so that the
// installed product loads few files; cedar-wasm stays outside because it reads its .wasm beside itself.
export default defineConfig([
  {
    ...shared,
    input: { main: 'src/cli/main.ts', 'inspect-worker': 'src/inspect/worker-main.ts', testing: 'src/testing/index.ts' },
    plugins: [leanBuiltins, launchApart, hashOfBuild],
    output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: 'chunks/[name]-[hash].js' },
  },
  {
    ...shared,
    input: { launch: 'src/cli/launch.ts' },
    plugins: [leanBuiltins, asciiOnly, hashOfBuild],
    output: {
      dir: 'dist',
      format: 'esm',
      chunkFileNames: 'launch/[name]-[hash].js',
    },
  },
]);
