/** What one source says: raw values by setting, and where each was written. Later layers win. */
import { SETTINGS } from './schema.ts';
import type { RawValue } from './value-types.ts';

/** Weakest first: the order in which layers are laid over each other. */
export const ORIGINS = ['default', 'profile', 'file', 'alias', 'variable', 'version'] as const;
export type OriginKind = (typeof ORIGINS)[number];

/** Where a value was written. `name` is fit to be shown: a variable, a file and line, or a version; never a value. */
export interface Origin {
  readonly kind: OriginKind;
  readonly name: string;
}

export interface Stated {
  readonly raw: RawValue;
  readonly origin: Origin;
}

/** By path, as `cache.default_ttl_seconds`. */
export type Layer = ReadonlyMap<string, Stated>;

export type Profile = 'default' | 'production';

/** The defaults of a profile. A required setting has none and is absent. */
export function profileLayer(profile: Profile): Layer {
  const layer = new Map<string, Stated>();
  for (const setting of SETTINGS) {
    const own = profile === 'production' ? setting.production : undefined;
    if (own !== undefined)
      layer.set(setting.path, { raw: own, origin: { kind: 'profile', name: 'production profile' } });
    else if (setting.default !== undefined)
      layer.set(setting.path, { raw: setting.default, origin: { kind: 'default', name: 'default' } });
  }
  return layer;
}

/** One layer over the other: what a later one states wins. */
export function overlay(layers: readonly Layer[]): Layer {
  return new Map(layers.flatMap((layer) => [...layer]));
}

/** Whether somebody wrote it, rather than the profile. */
export function isDeliberate(stated: Stated | undefined): stated is Stated {
  return stated !== undefined && stated.origin.kind !== 'default' && stated.origin.kind !== 'profile';
}
