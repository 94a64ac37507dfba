/** A version of the configuration as it is stored: JSON, never written again. A golden sample is in test/fixtures/stored-formats.json. */
import { CorruptValueError } from '../errors.ts';
import { NO_PARTS, type Parts, type SettingChange, type Source } from './settings.ts';

export interface ConfigVersion {
  /** From 1. */
  readonly version: number;
  /** ISO 8601. */
  readonly created_at: string;
  /** As in the audit log. */
  readonly author: string;
  readonly source: Source;
  readonly note: string | null;
  readonly settings: Parts;
  /** Against the version it was made from. */
  readonly changes: readonly SettingChange[];
}

/** What the deployment starts with: it states nothing, and is stored nowhere. */
export const DEPLOYED: ConfigVersion = {
  version: 0,
  created_at: '1970-01-01T00:00:00.000Z',
  author: 'deployment',
  source: 'file',
  note: null,
  settings: NO_PARTS,
  changes: [],
};

export const packVersion = (version: ConfigVersion): string => JSON.stringify({ format: 'cv1', ...version });

/** @throws {CorruptValueError} it is none. */
export function unpackVersion(json: string): ConfigVersion {
  const { format, ...version } = parse(json);
  if (format !== 'cv1') throw new CorruptValueError('Not a version of the configuration');
  return version;
}

function parse(json: string): ConfigVersion & { readonly format?: unknown } {
  try {
    return (JSON.parse(json) ?? {}) as ConfigVersion & { readonly format?: unknown };
  } catch (cause) {
    throw new CorruptValueError('Not a version of the configuration', { cause });
  }
}
