/** The cache endpoints: what they take and give. The body of an entry is its value, byte for byte. */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { Count, Instant } from '../http/fields.ts';
import { findUnsafeName } from '../http/json-names.ts';
import { IfMatch, IfNoneMatch } from '../http/preconditions.ts';
import { MAX_KEY_BYTES } from '../keys.ts';

/** Ten years: longer than that is `never`. */
const MAX_TTL_SECONDS = 315_360_000;
const MAX_TAGS = 32;
const MAX_TAG_CHARACTERS = 128;
const MAX_ATTRIBUTES_BYTES = 4_096;

export const Namespace = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit');

/** In a path; keys with `?`, `#` or control characters cannot travel there unharmed. */
export const PathKey = z
  .string()
  .min(1)
  .refine((key) => Buffer.byteLength(key) <= MAX_KEY_BYTES, `must have at most ${MAX_KEY_BYTES} bytes`)
  .refine((key) => key.isWellFormed() && !key.includes('\ufffd'), 'must be well-formed UTF-8')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .refine((key) => !/[?#\x00-\x1f\x7f]/.test(key), 'must not hold ?, # or control characters');

export const EntryParams = z.object({ namespace: Namespace, key: PathKey });

/** Milliseconds, or null for `never`. */
const Ttl = z
  .union([
    z.literal('never').transform(() => null),
    z
      .string()
      .regex(/^[1-9]\d{0,9}$/, 'must be a whole number of seconds, or never')
      .transform(Number)
      .pipe(z.int().max(MAX_TTL_SECONDS, `must be at most ${MAX_TTL_SECONDS}; say never for no end`))
      .transform((seconds) => seconds * 1000),
  ])
  .describe('Lifetime in seconds, or `never`. The deployment has a default.');

const headerText = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');

const Tags = z
  .string()
  .max(MAX_TAGS * (MAX_TAG_CHARACTERS + 2))
  .transform((list) => list.split(',').map((tag) => tag.trim()))
  .pipe(
    z
      .array(
        z
          .string()
          .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
          .max(MAX_TAG_CHARACTERS),
      )
      .max(MAX_TAGS)
      .transform((tags) => [...new Set(tags)]),
  );

/** Percent-encoded JSON of an object of strings. Bounded as it is sent back: encoded, it may be three times as long. */
const Attributes = headerText(MAX_ATTRIBUTES_BYTES)
  .transform((encoded, context) => {
    try {
      const json = decodeURIComponent(encoded);
      const value: unknown = JSON.parse(json);
      if (findUnsafeName(json) === undefined) return value;
      context.addIssue({ code: 'custom', message: 'must not name a field twice, nor __proto__' });
    } catch {
      context.addIssue({ code: 'custom', message: 'must be percent-encoded JSON' });
    }
    return z.NEVER;
  })
  .refine(
    (value) => encodeURIComponent(JSON.stringify(value)).length <= MAX_ATTRIBUTES_BYTES,
    `must have at most ${MAX_ATTRIBUTES_BYTES} characters, percent-encoded`,
  )
  .pipe(z.record(z.string().min(1).max(64), z.string().max(1_024)));

const PutHeaders = z.object({
  'content-type': headerText(255).optional(),
  'riptide-version': headerText(128).optional(),
  'riptide-source': headerText(256).optional(),
  'riptide-tags': Tags.optional(),
  'riptide-attributes': Attributes.optional(),
  'if-match': IfMatch.optional(),
  'if-none-match': z.literal('*', 'must be * on a write').optional(),
});

export const PutEntryResponse = z.object({
  etag: z.string().describe('As in the ETag header, quotes included.'),
  created: z.boolean(),
  expires_at: Instant.nullable(),
  updated_at: Instant,
  size_bytes: Count.describe('Of the value as sent.'),
  stored_bytes: Count.describe('Of the value as it stands in Redis.'),
});
export type PutEntryResponse = z.output<typeof PutEntryResponse>;

const ENTRY_HEADERS = {
  etag: 'Changes whenever the value or its metadata does.',
  age: 'Seconds since it was written.',
  'riptide-expires-at': 'ISO 8601, or never.',
  'riptide-version': 'As given when it was written.',
  'riptide-source': 'As given when it was written.',
  'riptide-tags': 'As given when it was written.',
  'riptide-attributes': 'As given when it was written.',
};

const path = '/cache/{namespace}/{key+}';
const readProblems = ['entry_not_found'] as const;

export const putEntryContract = defineContract({
  method: 'PUT',
  path,
  name: 'putEntry',
  summary: 'Store a value',
  guard: tenant('cache:write'),
  params: EntryParams,
  query: z.strictObject({ ttl_seconds: Ttl.optional() }),
  headers: PutHeaders,
  body: 'bytes',
  replies: {
    200: { description: 'It took the place of another value', schema: PutEntryResponse },
    201: { description: 'It is new', schema: PutEntryResponse },
  },
  problems: ['precondition_failed', 'memory_full', 'store_full', 'body_too_large', 'invalid_json'],
});

export const getEntryContract = defineContract({
  method: 'GET',
  path,
  name: 'getEntry',
  summary: 'Read a value',
  guard: tenant('cache:read'),
  params: EntryParams,
  headers: z.object({ 'if-none-match': IfNoneMatch.optional() }),
  replies: {
    200: { description: 'The value, with its content type', bytes: true, headers: ENTRY_HEADERS },
    304: { description: 'Unchanged: the caller has it' },
  },
  problems: readProblems,
});

export const headEntryContract = defineContract({
  method: 'HEAD',
  path,
  name: 'headEntry',
  summary: 'Read what is known of a value, without it',
  guard: tenant('cache:read'),
  params: EntryParams,
  replies: { 200: { description: 'The headers of the value', headers: ENTRY_HEADERS } },
  problems: readProblems,
});

export const deleteEntryContract = defineContract({
  method: 'DELETE',
  path,
  name: 'deleteEntry',
  summary: 'Remove a value; also when there is none',
  guard: tenant('cache:write'),
  params: EntryParams,
  headers: z.object({ 'if-match': IfMatch.optional() }),
  replies: { 204: { description: 'It is gone' } },
  problems: ['precondition_failed'],
});
