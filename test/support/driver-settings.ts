/** Settings of the Redis drivers for tests that make their own, and how a send is said to be. */
import type { RedisConfig } from '../../lib/config/config.ts';

export const READ = { kind: 'read' } as const;
export const WRITE = { kind: 'write' } as const;

/** The defaults of the service; `changes` are laid over them. */
export const driverSettings = (changes: Partial<RedisConfig> = {}) => ({
  connectionTimeoutMs: 5_000,
  commandTimeoutMs: 5_000,
  retryAttempts: 3,
  retryDelayMs: 50,
  poolSize: 10,
  clusterMode: false,
  enablePipelining: true,
  maxPipelineSize: 100,
  ...changes,
});
