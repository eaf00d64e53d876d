// `npm run new rule ID NAME "SUMMARY"`: a rule of the audit with everything that belongs to it: its file, its line in the registry, its
// page and its row in the list of rules. What it looks for, and the test that plants it, are left to a person. `--in DIR` works in another tree.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const usage =
  'npm run new rule ID NAME "SUMMARY" [-- --severity low|medium|high], for example: npm run new rule NET-002 openProxy "An agent…"';
const args = process.argv.slice(2);
const valueOf = (flag, otherwise) => (args.includes(flag) ? args.splice(args.indexOf(flag), 2)[1] : otherwise);

function refuse(why) {
  process.stderr.write(`${why}\n${usage}\n`);
  process.exit(2);
}

const root = valueOf('--in', path.resolve(import.meta.dirname, '..'));
const severity = valueOf('--severity', 'medium');
const [kind, id, name, summary] = args;
if (kind !== 'rule') refuse(`there is no "${kind ?? ''}" to make; there is: rule`);
if (!/^[A-Z]{2,4}-\d{3}$/.test(id ?? '')) refuse(`"${id ?? ''}" is no id of a rule, such as NET-002`);
if (!/^[a-z][A-Za-z0-9]+$/.test(name ?? '')) refuse(`"${name ?? ''}" is no name in camelCase`);
if (!summary || /['\n|]/.test(summary)) refuse('the summary is one line without quotes and bars');
if (!['info', 'low', 'medium', 'high', 'critical'].includes(severity)) refuse(`"${severity}" is no severity`);

const at = (...parts) => path.join(root, ...parts);
const file = at('src', 'audit', 'rules', `${id.toLowerCase()}.ts`);
const page = at('docs', 'audit', `${id}.md`);
for (const one of [file, page]) if (fs.existsSync(one)) refuse(`${path.relative(root, one)} is there already`);

/** Puts `line` before the first of `lines` that comes after it by id, else at the end of what `isPeer` knows. */
function inserted(lines, line, isPeer, comesAfter) {
  const next = lines.findIndex((one) => isPeer(one) && comesAfter(one));
  const last = lines.findLastIndex(isPeer);
  return lines.toSpliced(next >= 0 ? next : last + 1, 0, line);
}

const registry = at('src', 'audit', 'rules', 'registry.ts');
const before = fs.readFileSync(registry, 'utf8').split('\n');
const idOf = (line) => /from '\.\/([a-z]{2,4}-\d{3})\.ts'/.exec(line)?.[1];
const importLine = `import { ${name} } from './${id.toLowerCase()}.ts';`;
const withImport = inserted(
  before,
  importLine,
  (line) => idOf(line) !== undefined,
  (line) => (idOf(line) ?? '') > id.toLowerCase(),
);
const names = withImport.flatMap((line) => (idOf(line) ? [/\{ (\w+) \}/.exec(line)?.[1] ?? ''] : []));
const following = names.slice(names.indexOf(name) + 1);
const listed = inserted(
  withImport,
  `  ${name},`,
  (line) => /^ {2}\w+,$/.test(line),
  (line) => following.includes(line.trim().slice(0, -1)),
);

const list = at('docs', 'audit', 'README.md');
const rows = fs.readFileSync(list, 'utf8').split('\n');
const rowId = (line) => /^\| \[([A-Z]{2,4}-\d{3})\]/.exec(line)?.[1];
const row = `| [${id}](${id}.md) | ${severity} | ${summary} |`;

fs.writeFileSync(
  file,
  `import { rule } from './rule.ts';

export const ${name} = rule({
  id: '${id}',
  severity: '${severity}',
  summary: '${summary}',
  owasp: [],
  remedy: '',
  *check() {
    // Facts come in as an argument (../facts.ts); a rule reads no files. Plant the problem in a planted-*.ts first.
  },
});
`,
);
fs.writeFileSync(page, `# ${id}: ${summary}\n\nSeverity: ${severity}.\n\n## Why it matters\n\n\n## What to do\n\n`);
fs.writeFileSync(registry, listed.join('\n'));
fs.writeFileSync(
  list,
  inserted(
    rows,
    row,
    (line) => rowId(line) !== undefined,
    (line) => (rowId(line) ?? '') > id,
  ).join('\n'),
);
for (const one of [file, page, registry, list]) process.stdout.write(`${path.relative(root, one)}\n`);
process.stdout.write('Next: plant it in a src/audit/rules/planted-*.ts, then write the check, the remedy and the page.\n');
