/** The bench's answer as a table for people. */
import Table from 'cli-table3';
import type { Reach, Row } from './row.ts';
import type { Verdict } from './verdict.ts';

const HEAD = ['what', 'layer', 'reach', 'got', 'min–max of rounds', 'measured', 'claim', 'runs met', 'verdict'];

/** The table, as text. */
export function toTable(verdicts: readonly Verdict[]): string {
  const table = new Table({ head: HEAD, style: { head: [], border: [], compact: true } });
  for (const row of verdicts) {
    const { what, layer, reach, got, spread, measured, claim, runsMet, verdict } = toCells(row);
    table.push([what, layer, reach, got, spread, measured, claim, runsMet, verdict]);
  }
  return table.toString();
}

/** One row as texts. */
export const toCells = (row: Verdict) => ({
  what: row.what,
  layer: row.layer,
  reach: row.reach === undefined ? '' : reachText(row.reach, row.unit),
  got: withUnit(row.got, row.unit),
  spread: `${figure(row.spread.min)}–${figure(row.spread.max)}`,
  measured: row.detail,
  claim: row.claim ?? '',
  runsMet: row.reach === undefined ? '' : `${row.runsMet} of ${row.runs}`,
  verdict: row.verdict,
});

/** `12 of 13 reached; missed: …` */
export function toSummary(verdicts: readonly Verdict[]): string {
  const judged = verdicts.filter(({ verdict }) => verdict !== 'shown');
  const missed = judged.filter(({ verdict }) => verdict === 'missed');
  const names = missed.map(({ id }) => id).join(', ');
  return `${judged.length - missed.length} of ${judged.length} reached${names === '' ? '' : `; missed: ${names}`}`;
}

const reachText = ({ kind, value }: Reach, unit: Row['unit']): string =>
  `${kind === 'atMost' ? '≤' : '≥'} ${withUnit(value, unit)}`;

const withUnit = (value: number, unit: Row['unit']): string =>
  unit === '×' ? `${figure(value)}×` : `${figure(value)} ${unit}`;

/** Three significant digits, and none lost before the point. */
function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
