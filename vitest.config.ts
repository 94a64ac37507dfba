import { defineConfig } from 'vitest/config';
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

export default defineConfig({
  test: {
    // It knows a script by its own text, not by that of its includes: a change there would not be seen.
    fsModuleCache: false,
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
