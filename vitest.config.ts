import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { readLua } from './infra/lua-source.ts';

const lua = {
  name: 'lua-as-text',
  enforce: 'pre' as const,
  load(id: string) {
    return id.endsWith('.lua') ? `export default ${JSON.stringify(readLua(id))};` : undefined;
  },
};

const project = (name: string, timeout: number, setup?: string) => ({
  plugins: [lua],
  test: {
    name,
    env: { POWERTOOLS_METRICS_DISABLED: 'true' },
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeout,
    hookTimeout: 60_000,
    ...(setup === undefined ? {} : { globalSetup: [setup] }),
  },
});

/** Files that take longest: begun last, one of them would run alone at the end. */
const LONGEST = ['flows-state', 'demo', 'flows', 'lambda-runtime', 'packaging', 'start'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // It knows a script by its own text, not by that of its includes: a change there would not be seen.
    fsModuleCache: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', 10_000),
      project('conformance', 30_000, './test/support/global-setup.ts'),
      project('integration', 30_000, './test/support/global-setup.ts'),
      project('e2e', 60_000),
      // Long: only when asked for (npm run test:soak).
      ...(process.env.RIPTIDE_SOAK === undefined ? [] : [project('soak', 1_800_000, './test/support/global-setup.ts')]),
    ],
  },
});
