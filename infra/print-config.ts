/**
 * `npm run config [-- --json]`: the effective configuration, where each value comes from, secrets hidden. Exit code 1 and
 * the problems when it cannot be used.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isDeliberate, type Stated } from '../lib/config/layer.ts';
import { type ResolvedConfig, resolveConfig } from '../lib/config/resolve-config.ts';
import { type PlacedSetting, SETTINGS } from '../lib/config/schema.ts';

/** With what is to be noted of it. */
export type PrintedConfig = Omit<ResolvedConfig, 'notes'> & { readonly notes: readonly string[] };

/** One line of the table. */
export interface ConfigRow {
  readonly setting: string;
  /** As it was written; null when it is missing. */
  readonly value: string | null;
  readonly from: string;
}

const HIDDEN = '•••• (set)';
const ADMIN_KEY_HINT = [
  'The admin key is not set. `npm start` makes one by itself; for a service of your own:',
  '  export PERSISTENCE_ADMIN_KEY_SHA256=$(printf %s "$ADMIN_KEY" | sha256sum | cut -d" " -f1)',
];

/** Every setting with its value and source, in the order of the documentation. Secrets are hidden; bad values too. */
export function configRows({ layer, issues }: PrintedConfig): ConfigRow[] {
  const bad = new Set(issues.map(({ field }) => field));
  return SETTINGS.map((setting) => {
    const stated = layer.get(setting.path);
    const value = bad.has(setting.path) && isDeliberate(stated) ? '(cannot be used)' : shown(setting, stated);
    return { setting: setting.path, value, from: stated?.origin.name ?? `missing: set ${setting.variable}` };
  });
}

function shown({ secret }: PlacedSetting, stated: Stated | undefined): string | null {
  if (stated === undefined) return null;
  const text = printable(typeof stated.raw === 'string' ? stated.raw : stated.raw.join(', '));
  if (text === '') return '(empty)';
  if (secret === 'value') return HIDDEN;
  return secret === 'password' ? withoutPassword(text) : text;
}

/** Control characters would reach the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\uFFFD');
}

/** A URL with its password hidden, and its query, which may hold a token. */
function withoutPassword(text: string): string {
  const url = URL.parse(text);
  if (url === null) return HIDDEN;
  if (url.password === '' && url.username === '' && url.search === '') return text;
  const user = url.username === '' && url.password === '' ? '' : '••••@';
  return `${url.protocol}//${user}${url.host}${url.pathname}${url.search === '' ? '' : '?••••'}`;
}

/** The table as text: three aligned columns, then problems and notes. */
export function configText(resolved: PrintedConfig): string {
  const cells = configRows(resolved).map(({ setting, value, from }) => [setting, value ?? '(missing)', from] as const);
  const width = (column: 0 | 1) => Math.max(...cells.map((row) => row[column].length));
  const table = cells.map(([setting, value, from]) =>
    `${setting.padEnd(width(0))}  ${value.padEnd(width(1))}  ${from}`.trimEnd(),
  );
  const problems = resolved.issues.map(({ field, message }) => `  ${field}: ${message}`);
  return [
    ...table,
    ...section('Cannot be used:', problems),
    ...(resolved.layer.has('admin.key_sha256') ? [] : ADMIN_KEY_HINT),
    ...section(
      'Notes:',
      resolved.notes.map((note) => `  ${note}`),
    ),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

/** The same for programs. */
export function configJson(resolved: PrintedConfig): string {
  const { issues, notes } = resolved;
  return JSON.stringify({ usable: issues.length === 0, settings: configRows(resolved), issues, notes }, null, 2);
}

/** A file that lies ready and is not read is worth a word. */
function unusedFile(): string[] {
  const named = (process.env.RIPTIDE_CONFIG ?? '').trim() !== '';
  return !named && existsSync('persistence.yml')
    ? ['persistence.yml is not read: set RIPTIDE_CONFIG=persistence.yml to use it']
    : [];
}

if (import.meta.main) {
  const found = await resolveConfig({ env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
  const resolved = { ...found, notes: [...(await found.notes()), ...unusedFile()] };
  console.log(process.argv.includes('--json') ? configJson(resolved) : configText(resolved));
  process.exitCode = resolved.issues.length === 0 ? 0 : 1;
}
