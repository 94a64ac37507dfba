/**
 * `npm run build`: every function that infra/functions.yml makes. `npm run build -- cacheGetEntry …`: those only, and nothing else
 * in dist/ is touched. `RIPTIDE_ARCH` (arm64, or x86_64): the CPU of the deployed functions.
 */
import { join } from 'node:path';
import { type Architecture, buildFunctions, removeOthers } from './build/build-functions.ts';
import { deployedFunctions } from './build/deployed-functions.ts';
import { readFunctionList } from './build/function-list.ts';
import { buildTable, overBudget } from './build/report.ts';

async function main(names: readonly string[]): Promise<void> {
  const root = join(import.meta.dirname, '..');
  const outDir = join(root, 'dist');
  const all = deployedFunctions(readFunctionList(root));
  const functions = names.length === 0 ? all : names.map((name) => pick(all, name));
  const started = performance.now();
  const built = await buildFunctions({ root, outDir, functions, architecture: architecture() });
  if (names.length === 0) removeOthers(outDir, all);
  console.log(buildTable(built));
  console.log(
    `${built.length} functions in ${((performance.now() - started) / 1000).toFixed(1)} s, for ${architecture()}`,
  );
  const problems = overBudget(built);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

function pick<T extends { readonly key: string }>(all: readonly T[], name: string): T {
  const found = all.find(({ key }) => key === name);
  if (found === undefined)
    throw new Error(
      `infra/functions.yml makes no function "${name}". There are: ${all.map(({ key }) => key).join(', ')}`,
    );
  return found;
}

function architecture(): Architecture {
  const wanted = process.env.RIPTIDE_ARCH ?? 'arm64';
  if (wanted !== 'arm64' && wanted !== 'x86_64') throw new Error('RIPTIDE_ARCH must be arm64 or x86_64');
  return wanted;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
