/**
 * The kinds of value a setting can have. Outside every value is text (a variable, or a scalar of the file) or a list of
 * texts; inside it is typed, in milliseconds and bytes. A refusal says what was expected and never what was given.
 */
import * as z from 'zod';

/** What a layer holds for one setting before it is read. */
export type RawValue = string | readonly string[];

/** A zod type from raw text to `T`. Its only message is `expected …`. */
export type ValueType<T> = z.ZodType<T>;

const SECOND_MS = 1_000;
/** 2^31 - 1 ms, about 24 days: a Node timer that is longer fires at once. */
const LONGEST_TIMER_MS = 2_147_483_647;
const TEN_YEARS_SECONDS = 10 * 365 * 86_400;
const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const FLAGS: Readonly<Record<string, boolean>> = Object.assign(Object.create(null), {
  true: true,
  1: true,
  yes: true,
  on: true,
  false: false,
  0: false,
  no: false,
  off: false,
});

/** A type from its reader: `read` answers undefined for what it does not take. */
export function valueType<T>(expected: string, read: (raw: string) => T | undefined): ValueType<T> {
  return listOrText(expected, (raw) => (typeof raw === 'string' ? read(raw.trim()) : undefined));
}

/** A type whose reader says itself what it expected, where that depends on what was written. */
export function checkedText<T>(
  read: (raw: string) => { readonly value: T } | { readonly expected: string },
): ValueType<T> {
  return z.transform((raw, context) => {
    const outcome = typeof raw === 'string' ? read(raw.trim()) : { expected: 'text' };
    if ('value' in outcome) return outcome.value;
    context.issues.push({ code: 'custom', message: `expected ${outcome.expected}`, input: undefined });
    return z.NEVER;
  });
}

/** One zod node for each setting: a pipe of three costs a cold start 5 ms more over all of them. */
function listOrText<T>(expected: string, read: (raw: RawValue) => T | undefined): ValueType<T> {
  return z.transform((raw, context) => {
    const value = isRaw(raw) ? read(raw) : undefined;
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: `expected ${expected}`, input: undefined });
    return z.NEVER;
  });
}

function isRaw(raw: unknown): raw is RawValue {
  return typeof raw === 'string' || (Array.isArray(raw) && raw.every((item) => typeof item === 'string'));
}

/** A whole number, both ends included. */
export function integer(min: number, max: number): ValueType<number> {
  return valueType(`a whole number from ${min} to ${max}`, (raw) => within(wholeNumber(raw), min, max));
}

/** Seconds outside, milliseconds inside. */
export function seconds(min: number, max = TEN_YEARS_SECONDS): ValueType<number> {
  return valueType(`whole seconds from ${min} to ${max}`, (raw) => {
    const value = within(wholeNumber(raw), min, max);
    return value === undefined ? undefined : value * SECOND_MS;
  });
}

/** Milliseconds of a timer or a timeout. */
export function milliseconds(min: number, max = LONGEST_TIMER_MS): ValueType<number> {
  return valueType(`whole milliseconds from ${min} to ${max}`, (raw) => within(wholeNumber(raw), min, max));
}

/** Bytes: digits alone, or with KB, MB, GB, TB (or KiB …). All are powers of 1,024, so 100 MB is 104,857,600. */
export function bytes(min: number, max = Number.MAX_SAFE_INTEGER): ValueType<number> {
  return valueType(`bytes from ${min} to ${max}, as 1048576 or 1MB`, (raw) => within(byteCount(raw), min, max));
}

/** A part of one, both ends included. */
export function ratio(min: number, max: number): ValueType<number> {
  return valueType(`a number from ${min} to ${max}`, (raw) => {
    const value = /^\d{0,3}(\.\d{1,9})?$/.test(raw) && raw !== '' ? Number(raw) : Number.NaN;
    return within(value, min, max);
  });
}

/** true, 1, yes, on or false, 0, no, off; in any case. */
export function flag(): ValueType<boolean> {
  return valueType('true or false', (raw) => FLAGS[raw.toLowerCase()]);
}

/** One of a few words, in any case. */
export function choice<const T extends string>(...options: readonly T[]): ValueType<T> {
  return valueType(`one of ${options.join(', ')}`, (raw) =>
    options.find((option) => option.toLowerCase() === raw.toLowerCase()),
  );
}

/** Text that fits `pattern`, which must be linear: it runs on whatever is in the environment. */
export function text(expected: string, pattern: RegExp): ValueType<string> {
  return valueType(expected, (raw) => (pattern.test(raw) ? raw : undefined));
}

/** An absolute URL with one of `protocols` (`https:`) and a host, without a slash at its end; `mayBeEmpty`: or nothing. */
export function url(rule: { expected: string; protocols: readonly string[]; mayBeEmpty?: boolean }): ValueType<string> {
  return valueType(rule.expected, (raw) => {
    if (raw === '') return rule.mayBeEmpty === true ? raw : undefined;
    const parsed = URL.parse(raw);
    if (parsed === null || parsed.hostname === '' || !rule.protocols.includes(parsed.protocol)) return undefined;
    return raw.endsWith('/') ? raw.slice(0, -1) : raw;
  });
}

/** A comma-separated text, or a list in the file; empty items are dropped. */
export function list(expected: string, accepts: (item: string) => boolean): ValueType<readonly string[]> {
  return listOrText(expected, (raw) => {
    const items = (typeof raw === 'string' ? raw.split(',') : raw)
      .map((item) => item.trim())
      .filter((item) => item !== '');
    return items.every(accepts) ? items : undefined;
  });
}

function wholeNumber(raw: string): number | undefined {
  return /^-?\d{1,16}$/.test(raw) ? Number(raw) : undefined;
}

function byteCount(raw: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,16}) ?(?:([KMGT])i?B|B)?$/i.exec(raw) ?? [];
  return digits === undefined ? undefined : Number(digits) * (BYTE_UNITS[unit.toUpperCase()] ?? Number.NaN);
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}
