/**
 * `npm run bench`: measures ours beside raw Redis, three times, and says which promises were kept in two of three runs.
 * `--runs 1` is a quick look; `--only tcp` takes the suites with that in their name; `--full` takes the largest amounts of data,
 * which takes minutes. Both keep results/latest.json as it is.
 */
import '../../infra/lua-hook.ts';
import { LocalServiceError } from '../../lib/errors.ts';
import { type BenchOptions, readBenchOptions, USAGE } from './options.ts';

// CloudWatch's format has no reader here.
process.env.POWERTOOLS_METRICS_DISABLED = 'true';

async function main(options: BenchOptions): Promise<void> {
  const { runs, only, isFull } = options;
  const { runSuites } = await import('./run-suites.ts');
  const { judge } = await import('./verdict.ts');
  const { toSummary, toTable } = await import('./report.ts');
  const { writeResults } = await import('./results-file.ts');

  const startedAt = performance.now();
  const { rows, machine } = await runSuites(options);
  const verdicts = judge(rows);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(toTable(verdicts));
  console.log(
    `${toSummary(verdicts)} · ${runs} runs in ${seconds} s · Node ${machine.node}, Redis ${machine.redis}, ${machine.cores} cores`,
  );
  if (only === '' && !isFull) await writeResults({ machine, runs, seconds, rows: verdicts });
}

try {
  const options = readBenchOptions(process.argv.slice(2));
  if (options === null) console.log(USAGE);
  else await main(options);
} catch (error) {
  // What a person can put right is said in one line; anything else is a bug and needs its stack.
  if (!(error instanceof LocalServiceError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
