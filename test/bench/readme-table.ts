/** Writes the figures of results/latest.json into the README, between its marks: `node test/bench/readme-table.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toCells, toSummary } from './report.ts';
import { type Machine, RESULTS_FILE } from './results-file.ts';
import type { Verdict } from './verdict.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const [START, END] = ['<!-- numbers:start -->', '<!-- numbers:end -->'];

interface Results {
  readonly date: string;
  readonly machine: Machine;
  readonly runs: number;
  readonly rows: readonly Verdict[];
}

const { date, machine, runs, rows } = JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as Results;
const table = (heads: readonly string[], lines: readonly (readonly string[])[]) =>
  [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const cells = rows.map((row) => ({ row, cells: toCells(row) }));
const judged = cells.filter(({ row }) => row.claim === undefined);
const claimed = cells.filter(({ row }) => row.claim !== undefined);

const text = `Of \`npm run bench\` on ${date.slice(0, 10)}: Node ${machine.node}, Redis ${machine.redis}, ${machine.cores} cores, everything on one
machine. Ratios are medians over interleaved rounds against the raw client with the same options in the same run; a row is
met when two of ${runs} runs meet it. ${toSummary(rows)}.

${table(
  ['what', 'layer', 'reach', 'got', 'measured', 'runs met', 'verdict'],
  judged.map(({ cells: c }) => [c.what, c.layer, c.reach, c.got, c.measured, c.runsMet, c.verdict]),
)}

Beside what other systems claim of themselves (theirs on their machines, ours as above):

${table(
  ['what', 'got', 'measured', 'claim of others'],
  claimed.map(({ cells: c }) => [c.what, c.got, c.measured, c.claim]),
)}`;

const readme = readFileSync(README, 'utf8');
const [before, after] = [readme.indexOf(START) + START.length, readme.indexOf(END)];
if (after < before) throw new Error(`README.md has no ${START} … ${END}`);
writeFileSync(README, `${readme.slice(0, before)}\n${text}\n${readme.slice(after)}`);
