/** The configuration a process starts with. */
import { ConfigError } from '../errors.ts';
import type { Config } from './config.ts';
import { type ConfigSources, resolveConfig } from './resolve-config.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Settings that were made and cannot apply, with the reason: to be logged once. No values. */
  readonly notes: () => Promise<readonly string[]>;
}

/**
 * Reads file and environment, or throws one error that names every bad setting. Pure but for `readFile`.
 * @throws {ConfigError} `issues` and message name settings, what was expected and where they were set; never a value.
 */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { config, issues, notes } = await resolveConfig(sources);
  if (config !== undefined) return { config, notes };
  const lines = issues.map(({ field, message }) => `  ${field}: ${message}`);
  throw new ConfigError(`The configuration cannot be used:\n${lines.join('\n')}`, { issues });
}
