/**
 * The configuration as services hold it: the same objects from start to end, whose values are replaced. Who reads a setting
 * when it is needed sees the new one; who kept a value does not.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Config } from '../config/config.ts';
import type { TenantId } from '../ids.ts';
import { isChosen } from './tenant-share.ts';

export type LiveConfig = ReturnType<typeof createLiveConfig>;

/** A configuration that is tried with some tenants. */
export interface Canary {
  readonly config: Config;
  /** 0 to 1, of all tenants. */
  readonly share: number;
}

export function createLiveConfig(start: Config) {
  let current = start;
  let canary: Canary | null = null;
  let scope: AsyncLocalStorage<Config> | undefined;
  const now = () => scope?.getStore() ?? current;
  return {
    /** The same in every request but those of tenants a canary has chosen. */
    config: viewOf(start, now) as Config,

    /** From here on all of it is another; requests under way see it with the next setting they read. */
    replace(next: Config, tried: Canary | null): void {
      current = next;
      canary = tried;
      if (tried !== null) scope ??= new AsyncLocalStorage();
    },

    /** Runs a tenant's request: under the canary's configuration, when there is one and it has chosen the tenant. */
    run<T>(tenantId: TenantId | undefined, work: () => Promise<T>): Promise<T> {
      if (canary === null || tenantId === undefined || !isChosen(tenantId, canary.share)) return work();
      return scope?.run(canary.config, work) ?? work();
    },
  };
}

/** The groups and values of `shape`, read anew each time. */
function viewOf(shape: object, now: () => object): object {
  const at = (name: string) => now()[name as keyof object] as unknown;
  const entries = Object.entries(shape).map(([name, value]) => {
    const view = isGroup(value) ? viewOf(value, () => at(name) as object) : undefined;
    return [name, { enumerable: true, get: () => view ?? at(name) }] as const;
  });
  return Object.freeze(Object.defineProperties({}, Object.fromEntries(entries)));
}

const isGroup = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
