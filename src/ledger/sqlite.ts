// node:sqlite, loaded on first use: commands that only read tiles never pay for it, and users of a Node that still calls the module
// experimental do not see a warning about our choice.

type Sqlite = typeof import('node:sqlite');

let loading: Promise<Sqlite> | undefined;

export function loadSqlite(): Promise<Sqlite> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Sqlite> {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (/sqlite/i.test(String(warning)) && rest[0] === 'ExperimentalWarning') return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return await import('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
