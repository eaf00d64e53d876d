// Projects that editors remember, wherever they lie: VS Code and what was made from it note each folder that was opened, JetBrains IDEs
// keep a list of recent projects. Read as text, bounded, never opened.
import { expand, join } from './load.ts';
import type { Tree } from './read/tree.ts';

const codeLists = [
  '.config/*/User/workspaceStorage/*/workspace.json',
  'Library/Application Support/*/User/workspaceStorage/*/workspace.json',
  'AppData/Roaming/*/User/workspaceStorage/*/workspace.json',
] as const;
const jetbrainsLists = [
  '.config/JetBrains/*/options/recentProjects.xml',
  'Library/Application Support/JetBrains/*/options/recentProjects.xml',
  'AppData/Roaming/JetBrains/*/options/recentProjects.xml',
] as const;
const limit = 1 << 20;

/** Absolute directories inside the tree, without those that are on another machine. */
export function recentProjects(tree: Tree, home: string): readonly string[] {
  const textsOf = (patterns: readonly string[]): readonly string[] =>
    patterns.flatMap((pattern) =>
      expand(tree, join(home, pattern)).flatMap((file) => {
        const { bytes } = tree.read(file, limit);
        return bytes === undefined ? [] : [bytes.toString('utf8')];
      }),
    );
  const opened = textsOf(codeLists).flatMap((text) => {
    const url = /"folder"\s*:\s*"(file:\/\/\/[^"\\]*)"/.exec(text)?.[1];
    return url === undefined ? [] : [pathOf(url)];
  });
  const recent = textsOf(jetbrainsLists).flatMap((text) =>
    [...text.matchAll(/<entry key="([^"]+)"/g)].map(([, key = '']) => key.replace('$USER_HOME$', home)),
  );
  return [...new Set([...opened, ...recent])].filter((dir) => dir.startsWith('/') && dir !== '/' && dir !== home);
}

function pathOf(url: string): string {
  try {
    return decodeURIComponent(new URL(url).pathname).replace(/(?<=.)\/$/, '');
  } catch {
    return '';
  }
}
