/**
 * `npm run bench`: measures ours beside raw Redis, three times, and says which promises were kept in two of three runs.
 * `--runs 1` is a quick look; `--only tcp` takes the suites with that in their name, and keeps results/latest.json as it is.
 */
import '../../infra/lua-hook.ts';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string', default: '' } },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1 || runs > 9) throw new RangeError('--runs takes 1 to 9');

const { runSuites } = await import('./run-suites.ts');
const { judge } = await import('./verdict.ts');
const { toSummary, toTable } = await import('./report.ts');
const { writeResults } = await import('./results-file.ts');

const startedAt = performance.now();
const { rows, machine } = await runSuites({ runs, only: values.only });
const verdicts = judge(rows);
const seconds = Math.round((performance.now() - startedAt) / 1000);
console.log(toTable(verdicts));
console.log(
  `${toSummary(verdicts)} · ${runs} runs in ${seconds} s · Node ${machine.node}, Redis ${machine.redis}, ${machine.cores} cores`,
);
if (values.only === '') await writeResults({ machine, runs, seconds, rows: verdicts });
