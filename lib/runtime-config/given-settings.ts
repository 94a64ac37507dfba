/** Reads the settings a request gives, as JSON by group. Pure. */

import { SETTINGS } from '../config/schema.ts';
import { didYouMean } from '../config/suggestion.ts';
import type { RawValue } from '../config/value-types.ts';
import type { Issue } from '../errors.ts';
import { isVersioned, settingAt } from './settings.ts';

export interface GivenSettings {
  /** null: what the version before states is to be left out. */
  readonly values: ReadonlyMap<string, RawValue | null>;
  readonly issues: readonly Issue[];
}

const PATHS = SETTINGS.map(({ path }) => path);
const GROUPS = new Set(PATHS.map((path) => path.slice(0, path.lastIndexOf('.'))));
const KNOWN = [...PATHS, ...GROUPS];
/** More problems are not told: they have one cause, and each takes time. */
const MOST_ISSUES = 100;

/** Every problem at once (the first 100), and none of the values. Whether a value is a good one is seen when all of them are read together. */
export function readGiven(groups: Readonly<Record<string, unknown>>): GivenSettings {
  const values = new Map<string, RawValue | null>();
  const issues: Issue[] = [];
  const walk = (node: Readonly<Record<string, unknown>>, prefix: string) => {
    for (const [name, value] of Object.entries(node)) {
      if (issues.length >= MOST_ISSUES) return;
      const path = prefix === '' ? name : `${prefix}.${name}`;
      if (settingAt(path) !== undefined) readOne(path, value);
      else if (GROUPS.has(path) && isObject(value)) walk(value, path);
      else if (GROUPS.has(path)) issues.push({ field: path, message: 'expected an object of settings' });
      else issues.push({ field: presentable(path), message: `no such setting${didYouMean(path, KNOWN)}` });
    }
  };
  const readOne = (path: string, value: unknown) => {
    if (!isVersioned(path)) return void issues.push({ field: path, message: REFUSED });
    if (values.has(path)) return void issues.push({ field: path, message: 'is named twice' });
    const raw = value === null ? null : rawOf(value, settingAt(path)?.structured === true);
    if (raw === undefined)
      issues.push({ field: path, message: 'expected a text, a number, true or false, or a list of texts' });
    else values.set(path, raw);
  };
  walk(groups, '');
  return { values, issues };
}

/** Of a setting that no version may state. */
export const REFUSED = 'it is set by file and environment at the start only, never at run time';

function rawOf(value: unknown, structured: boolean): RawValue | undefined {
  if (structured && typeof value === 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? value : undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A path as it may be shown: whatever else stands there is not repeated. */
const presentable = (path: string): string => (/^[\w.-]{1,100}$/.test(path) ? path : 'a name that cannot be shown');
