import type { Usage, UsageDeps } from './usage.ts';

/** Usage, loaded with its first use. */
export function createLazyUsage(deps: UsageDeps): Usage {
  let loading: Promise<Usage> | undefined;
  return {
    async get(...args) {
      loading ??= import('./usage.ts').then(({ createUsage }) => createUsage(deps));
      return (await loading).get(...args);
    },
  };
}
