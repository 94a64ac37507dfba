/** One instance's side of it: takes the active version, or keeps what it has. Loaded when there is something to take. */
import type { Config } from '../config/config.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import { type Active, unpackActive } from './active-format.ts';
import { resolveParts, type StartSources } from './effective.ts';
import type { LiveConfig } from './live-config.ts';
import { NO_PARTS, type Parts, runningParts, sameParts } from './settings.ts';
import type { ConfigVersion } from './version-format.ts';
import type { VersionStore } from './version-store.ts';

export type ConfigInstance = ReturnType<typeof createConfigInstance>;

/** How an app came by its configuration. */
export interface AppStart {
  readonly sources: StartSources;
  /** What the version stated that it started with; absent: there was none. */
  readonly parts?: Parts;
}

export interface ConfigInstanceDeps {
  readonly live: LiveConfig;
  readonly store: Pick<VersionStore, 'readInUse'>;
  readonly start: AppStart;
  readonly telemetry: Telemetry;
}

export function createConfigInstance({ live, store, start, telemetry }: ConfigInstanceDeps) {
  const { sources, parts: started = NO_PARTS } = start;
  let version: ConfigVersion | null = null;

  /** Null: it is of another version of the code, or damaged. Told once: it is not taken again and again. */
  const configOf = async (found: ConfigVersion): Promise<Config | null> => {
    const parts = runningParts(started, found.settings);
    const { config, issues } = await resolveParts(sources, parts, `version ${found.version}`);
    if (config !== undefined) return config;
    const problems = issues.map(({ field, message }) => `${field}: ${message}`);
    telemetry.logger.error('A version of the configuration cannot be used here', { version: found.version, problems });
    telemetry.count('riptide_config_refused_total');
    return null;
  };

  /** @throws {RangeError} a version is nowhere to be found: it is looked for again. */
  const take = async ({ rev, version: number, canary }: Active, signal?: AbortSignal): Promise<void> => {
    const [whole, tried = null] = await store.readInUse([number, ...(canary === null ? [] : [canary.version])], signal);
    if (whole == null || (canary !== null && tried === null)) throw new RangeError('The active version is not stored');
    const config = await configOf(whole);
    const trial = tried === null || canary === null ? null : await configOf(tried);
    if (config === null) return;
    const isOtherLevel = config.log.level !== live.config.log.level;
    live.replace(config, trial === null || canary === null ? null : { config: trial, share: canary.share });
    version = whole;
    if (isOtherLevel) telemetry.logger.setLogLevel(config.log.level.toUpperCase() as 'INFO');
    telemetry.logger.info('Configuration taken', { version: number, rev, canary: canary?.version ?? 0 });
  };

  return {
    /** Takes what is active, as Redis has it; null: Redis has nothing (any more), so what there is stays. @throws as VersionStore. */
    async apply(text: string | null, signal?: AbortSignal): Promise<void> {
      if (text !== null) await take(unpackActive(text), signal);
    },

    /** What a start with the version taken would begin with, when that is another configuration than this one's; else null. */
    async restart(): Promise<{ readonly config: Config; readonly parts: Parts } | null> {
      if (version === null || sameParts(version.settings, runningParts(started, version.settings))) return null;
      const { config } = await resolveParts(sources, version.settings, `version ${version.version}`);
      return config === undefined ? null : { config, parts: version.settings };
    },
  };
}
