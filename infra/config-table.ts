/**
 * `node infra/config-table.ts [--check]`: writes the configuration table, made from the schema, between its markers in
 * docs/configuration.md and README.md. `--check` writes nothing and exits with 1 when one of them is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type PlacedSetting, SETTINGS } from '../lib/config/schema.ts';

const START = '<!-- config:start -->';
const END = '<!-- config:end -->';
const ROOT = new URL('..', import.meta.url);

/** The table in Markdown: one section for each group. */
export function configTable(): string {
  const groups = Map.groupBy(SETTINGS, ({ path }) => path.slice(0, path.lastIndexOf('.')));
  return [...groups].map(([group, settings]) => section(group, settings)).join('\n\n');
}

/** `document` with the table between its markers; unchanged when it has none. */
export function withConfigTable(document: string): string {
  const [start, end] = [document.indexOf(START), document.indexOf(END)];
  if (start === -1 || end < start) return document;
  return `${document.slice(0, start)}${START}\n\n${configTable()}\n\n${document.slice(end)}`;
}

function section(group: string, settings: readonly PlacedSetting[]): string {
  const rows = settings.map((setting) => `| ${cells(setting).join(' | ')} |`);
  return [
    `**${group}**`,
    '',
    '| Setting | Default | Production | What it does | Takes effect | Also set by |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function cells({
  path,
  default: standard,
  production,
  about,
  aliases = [],
  awaits,
  hot,
  fixed,
}: PlacedSetting): string[] {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const effect = awaits === undefined ? about : `${about} *(not yet: ${awaits})*`;
  return [
    code(name),
    value(standard),
    production === undefined ? '' : value(production),
    effect,
    fixed === true ? 'by deployment' : hot ? 'at once' : 'at a start',
    aliases.map(code).join(' '),
  ];
}

function value(text: string | undefined): string {
  if (text === undefined) return '**required**';
  return text === '' ? '(empty)' : code(text);
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const files = ['docs/configuration.md', 'README.md'].map((name) => ({
    name,
    path: fileURLToPath(new URL(name, ROOT)),
  }));
  for (const { name, path } of files.filter((file) => existsSync(file.path))) {
    const before = readFileSync(path, 'utf8');
    const after = withConfigTable(before);
    if (after === before) continue;
    if (!check) writeFileSync(path, after);
    console.log(check ? `${name} is out of date: run node infra/config-table.ts` : `${name} written`);
    if (check) process.exitCode = 1;
  }
}
