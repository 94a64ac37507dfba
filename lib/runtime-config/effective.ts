/** What comes of file, environment and a version together. */

import type { Layer } from '../config/layer.ts';
import { type ConfigSources, type ResolvedConfig, resolveConfig } from '../config/resolve-config.ts';
import { isVersioned, layersOf, NO_PARTS, type Parts, type Settings, sorted } from './settings.ts';

/** The sources an instance started with, whatever has become of its file since. */
export type StartSources = Omit<ConfigSources, 'versioned'>;

/** @param name of what the parts are, for messages. */
export const resolveParts = (sources: StartSources, parts: Parts, name: string): Promise<ResolvedConfig> =>
  resolveConfig({ ...sources, versioned: layersOf(parts, name) });

export const resolveDeployed = (sources: StartSources): Promise<ResolvedConfig> => resolveParts(sources, NO_PARTS, '');

/**
 * What `given` states and the deployment does not, as the part of a version.
 * @param above false: the environment wins over it, as over a file.
 */
export function differing(given: Layer, deployed: Layer, above: boolean): Settings {
  const stated = [...given].filter(([path, { raw }]) => {
    const now = deployed.get(path);
    const shadowed = !above && (now?.origin.kind === 'alias' || now?.origin.kind === 'variable');
    return isVersioned(path) && !shadowed && JSON.stringify(raw) !== JSON.stringify(now?.raw);
  });
  return sorted(stated.map(([path, { raw }]) => [path, raw]));
}
