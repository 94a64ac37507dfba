import { lazily } from '../lazily.ts';
import type { Usage, UsageDeps } from './usage.ts';

/** Usage, loaded with its first use. */
export const createLazyUsage = (deps: UsageDeps): Usage =>
  lazily<Usage>({ get: true }, async () => (await import('./usage.ts')).createUsage(deps));
