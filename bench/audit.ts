// The audit of a home with 60,000 files against a plain walk of the same tree with Node, in the same run. Prints the ratio and the
// memory of the audit; the bar is 1.3 times the walk and 150 MB.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { audit } from '../src/audit/index.ts';

const files = 60_000;
const rounds = 5;

/** Repositories with sources in nested directories, some with agent settings, and what fills homes: caches and packages. */
function plant(root: string): string {
  const home = path.join(root, 'home/dev');
  let planted = 0;
  const put = (name: string, text: string): void => {
    const file = path.join(home, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    planted++;
  };
  put('.claude/settings.json', '{"permissions":{"allow":["Bash(git status)"]}}');
  put('.claude.json', '{}');
  put('.codex/config.toml', 'model = "x"\n');
  for (let repository = 0; planted < files; repository++) {
    const base = `work/team${repository % 12}/repository${repository}`;
    fs.mkdirSync(path.join(home, base, '.git'), { recursive: true });
    put(`${base}/CLAUDE.md`, 'Use tabs.\n');
    if (repository % 3 === 0) put(`${base}/.mcp.json`, '{"mcpServers":{"a":{"command":"npx","args":["-y","a"]}}}');
    for (let dir = 0; dir < 90; dir++)
      for (let file = 0; file < 3; file++) put(`${base}/src/part${dir % 9}/unit${dir}/file${file}.ts`, 'export {};\n');
    for (let dir = 0; dir < 10; dir++) for (let file = 0; file < 3; file++) put(`${base}/node_modules/package${dir}/file${file}.js`, '');
  }
  return home;
}

function plainWalk(dir: string): number {
  let count = 0;
  const stack = [dir];
  for (let here = stack.pop(); here !== undefined; here = stack.pop()) {
    for (const entry of fs.readdirSync(here, { withFileTypes: true })) {
      if (entry.isDirectory()) stack.push(path.join(here, entry.name));
      else count++;
    }
  }
  return count;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function timed(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

const options = (home: string) => ({ home, dirs: [], userHome: home, cwd: '/', env: {}, tools: {} });

if (process.argv[2] === '--memory') {
  audit(options(process.argv[3] ?? '/'));
  process.stdout.write(String(process.resourceUsage().maxRSS / 1024));
} else {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-bench-'));
  try {
    const home = plant(root);
    const walked = plainWalk(home);
    const walkMs: number[] = [];
    const auditMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      walkMs.push(timed(() => plainWalk(home)));
      auditMs.push(timed(() => audit(options(home))));
    }
    const child = spawnSync(process.execPath, [import.meta.filename, '--memory', home], { encoding: 'utf8' });
    const result = {
      files: walked,
      walkMs: median(walkMs),
      auditMs: median(auditMs),
      ratio: median(auditMs) / median(walkMs),
      memoryMb: Number(child.stdout),
    };
    fs.mkdirSync('bench/results', { recursive: true });
    fs.writeFileSync('bench/results/audit.json', `${JSON.stringify(result, undefined, 2)}\n`);
    process.stdout.write(
      `audit of ${result.files} files: ${result.auditMs.toFixed(0)} ms; plain walk: ${result.walkMs.toFixed(0)} ms; ratio ${result.ratio.toFixed(2)}; memory ${result.memoryMb.toFixed(0)} MB\n`,
    );
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}
