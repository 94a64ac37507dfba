/** Sessions between Redis and S3, as a person reads them. */
import { count, type Paint, table, timesTable } from './report-table.ts';
import { drawLevels, drawSparkline, type Mark } from './tour/sessions/chart.ts';
import type { DuelFigures, Moves, SessionFigures, SpillFigures } from './tour/sessions/figures.ts';

const CHART_ROWS = 10;

export function formatSessions({ spill, duels }: SessionFigures, paint: Paint): string {
  return [
    ...(spill === null ? [] : formatSpill(spill, paint)),
    paint('bold', 'Many writers of one session at once'),
    duelTable(duels, paint),
  ].join('\n');
}

const formatSpill = (spill: SpillFigures, paint: Paint): readonly string[] => [
  paint('bold', `${count(spill.sessions)} sessions of ${spill.tenants} tenants, ${describeSize(spill)}`),
  ...memoryChart(spill, paint),
  moveTable(spill, paint),
  timesTable('As the callers see it, ms', spill.operations, paint),
  ...listObjects(spill),
];

function describeSize({ document_bytes, budget_bytes, settled }: SpillFigures): string {
  const { hot, cold } = settled;
  return (
    `${sizeOf(document_bytes)} of documents in ${sizeOf(budget_bytes)} of Redis: ` +
    `at rest ${count(hot)} hot, ${count(cold)} cold`
  );
}

/** Hot bytes as columns below the budget, the cold sessions as a line of their own, what was done when. */
function memoryChart({ memory, budget_bytes, threshold_ratio }: SpillFigures, paint: Paint): readonly string[] {
  const marks: readonly Mark[] = [
    { level: 1, label: `budget ${sizeOf(budget_bytes)}` },
    { level: threshold_ratio, label: `threshold ${sizeOf(budget_bytes * threshold_ratio)}` },
  ];
  const levels = memory.map(({ hot_bytes }) => hot_bytes / budget_bytes);
  const indent = ' '.repeat(Math.max(...marks.map(({ label }) => label.length)));
  const chart = drawLevels(levels, CHART_ROWS, marks).map((line) => paintColumns(line, indent.length, paint));
  const most = Math.max(0, ...memory.map(({ cold_bytes }) => cold_bytes));
  const seconds = `${((memory.at(-1)?.at_ms ?? 0) / 1000).toFixed(0)} s`;
  return [
    ...chart,
    `${'0'.padStart(indent.length)} └${'─'.repeat(memory.length)} ${seconds}`,
    `${'in S3'.padStart(indent.length)}  ${drawSparkline(memory.map(({ cold }) => cold))} at most ${sizeOf(most)}`,
    `${indent}  ${phasesOf(memory.map(({ phase }) => phase))}`,
  ];
}

/** Each phase named below where it begins, as far as there is room. */
export function phasesOf(phases: readonly string[]): string {
  let line = '';
  phases.forEach((phase, column) => {
    if (phase !== phases[column - 1] && (line === '' || line.length < column)) line = line.padEnd(column) + phase;
  });
  return line;
}

function moveTable({ moves }: SpillFigures, paint: Paint): string {
  const rows = moves.map(({ move, sessions, operations, avg_ms, p50_ms, p95_ms }: Moves) => [
    MOVE_NAMES[move],
    count(sessions),
    count(operations),
    ...[avg_ms, p50_ms, p95_ms].map(milliseconds),
  ]);
  const head = ['As the service counts, ms', 'Sessions', 'Operations', 'avg', 'p50', 'p95'];
  return table(head, rows, paint);
}

const MOVE_NAMES = { spill: 'Redis to S3, a batch', restore: 'S3 to Redis, one' } as const;

function listObjects({ objects }: SpillFigures): readonly string[] {
  if (objects === null) return [];
  const more = objects.count > objects.names.length ? ['  …'] : [];
  return [
    `In S3: ${count(objects.count)} objects, ${sizeOf(objects.bytes)}`,
    ...objects.names.map((name) => `  ${name}`),
    ...more,
  ];
}

function duelTable(duels: readonly DuelFigures[], paint: Paint): string {
  const rows = duels.map(({ way, writers, writes, lost, calls, took_ms }) => [
    way,
    count(writers),
    count(writes),
    lost === 0 ? paint('green', '0') : paint('yellow', count(lost)),
    count(calls),
    count(took_ms),
  ]);
  return table(['How they write', 'Writers', 'Writes', 'Lost', 'Calls', 'ms'], rows, paint);
}

/** The columns in colour, what stands beside them not. */
function paintColumns(line: string, labelled: number, paint: Paint): string {
  const from = labelled + 2;
  return line.slice(0, from) + paint('green', line.slice(from));
}

const milliseconds = (ms: number | null) => (ms === null ? '–' : ms.toFixed(2));
const sizeOf = (bytes: number) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
