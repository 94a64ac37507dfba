/**
 * An entry as one line of NDJSON: what exports hold and what warming reads.
 *
 *   {"namespace":"ns","key":"k","value":"text"|"value_base64":"AP+A","content_type":"…","version":"…","source":"…",
 *    "tags":["…"],"attributes":{"n":"…"},"expires_at":"…Z"|null,"fresh_until":"…Z"}
 *
 * Byte-exact: bytes that are no UTF-8 are base64, and so are long values that are shorter that way. What an entry does not
 * have has no field. No `fresh_until`: it is fresh as long as it lives.
 */
import { isUtf8 } from 'node:buffer';
import { defined } from '../../defined.ts';
import { InvalidRequestError } from '../../errors.ts';
import { findUnsafeName } from '../../http/json-names.ts';
import { isoOf, isoOrNull } from '../../iso-time.ts';
import type { EntryName } from '../../keys.ts';
import type { EntryMeta } from '../entry-format.ts';
import { checkEntry, checkName } from '../entry-rules.ts';

export interface ExportEntry {
  readonly name: EntryName;
  readonly value: Buffer;
  readonly meta: EntryMeta;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  /** Unix ms; null: as long as it lives. */
  readonly freshUntilMs: number | null;
}

/** Up to here text stays text, for who reads it; as JSON it may be 6 times as long. */
const ALWAYS_TEXT_BYTES = 1024 * 1024;

/** The line, its end included. */
export function lineOf({ name, value, meta, expiresAtMs, freshUntilMs }: ExportEntry): Buffer {
  const fields = {
    namespace: name.namespace,
    key: name.key,
    ...valueFields(value),
    ...meta,
    expires_at: isoOrNull(expiresAtMs),
    ...(freshUntilMs === null ? {} : { fresh_until: isoOf(freshUntilMs) }),
  };
  return Buffer.from(`${JSON.stringify(fields)}\n`);
}

function valueFields(value: Buffer) {
  if (isUtf8(value)) {
    const text = value.toString('utf8');
    if (value.length <= ALWAYS_TEXT_BYTES || Buffer.byteLength(JSON.stringify(text)) <= (value.length * 4) / 3)
      return { value: text };
  }
  return { value_base64: value.toString('base64') };
}

/**
 * Reads one line, its end not included.
 * @throws {InvalidRequestError} it is none; the message says why, and no value.
 */
export function parseLine(line: Buffer, { maxValueBytes }: { readonly maxValueBytes: number }): ExportEntry {
  const fields = parseFields(line);
  const name = { namespace: text(fields, 'namespace') ?? '', key: text(fields, 'key') ?? '' };
  checkName(name);
  const value = readValue(fields);
  if (value.length > maxValueBytes) throw bad('value', `must have at most ${maxValueBytes} bytes`);
  const meta = readMeta(fields);
  checkEntry({ meta, ttlMs: null });
  if (fields.expires_at === undefined) throw bad('expires_at', 'must be there; null is never');
  const freshUntilMs = instant(fields, 'fresh_until');
  return { name, value, meta, expiresAtMs: instant(fields, 'expires_at'), freshUntilMs };
}

type Fields = Readonly<Record<string, unknown>>;

const KNOWN = new Set(
  'namespace key value value_base64 content_type version source tags attributes negative expires_at fresh_until'.split(
    ' ',
  ),
);

function parseFields(line: Buffer): Fields {
  const json = isUtf8(line) ? line.toString('utf8') : '';
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw bad('line', 'must be JSON in UTF-8');
  }
  if (!isObject(parsed)) throw bad('line', 'must be a JSON object');
  if (findUnsafeName(json) !== undefined) throw bad('line', 'must not name a field twice, nor __proto__');
  if (!Object.keys(parsed).every((field) => KNOWN.has(field))) throw bad('line', 'must have known fields only');
  return parsed;
}

function readValue(fields: Fields): Buffer {
  const [plain, base64] = [text(fields, 'value'), text(fields, 'value_base64')];
  if ((plain === undefined) === (base64 === undefined)) throw bad('value', 'must be there, or value_base64, not both');
  if (plain !== undefined) {
    if (!plain.isWellFormed()) throw bad('value', 'must be well-formed text');
    return Buffer.from(plain);
  }
  const value = Buffer.from(base64 as string, 'base64');
  if (value.toString('base64') !== base64) throw bad('value_base64', 'must be base64 with its padding');
  return value;
}

function readMeta(fields: Fields): EntryMeta {
  const { tags, attributes, negative } = fields;
  if (tags !== undefined && !(Array.isArray(tags) && tags.every(isText)))
    throw bad('tags', 'must be a list of strings');
  if (attributes !== undefined && !(isObject(attributes) && Object.values(attributes).every(isText)))
    throw bad('attributes', 'must be an object of strings');
  if (negative !== undefined && negative !== true) throw bad('negative', 'must be true or not there');
  return defined({
    content_type: text(fields, 'content_type') ?? 'application/octet-stream',
    version: text(fields, 'version'),
    source: text(fields, 'source'),
    tags: tags as EntryMeta['tags'],
    attributes: attributes as EntryMeta['attributes'],
    negative: negative as true | undefined,
  }) as EntryMeta;
}

function text(fields: Fields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined || isText(value)) return value;
  throw bad(field, 'must be a string');
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

function instant(fields: Fields, field: string): number | null {
  const value = fields[field] ?? null;
  if (value === null) return null;
  const ms = isText(value) && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw bad(field, 'must be a time as 2026-11-21T00:00:00.000Z');
  return ms;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const bad = (field: string, message: string) =>
  new InvalidRequestError('The line is not an entry', { issues: [{ field, message }] });
