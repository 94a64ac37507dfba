/** Storing an entry: what it takes and gives. */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { Count, Instant, Switch } from '../http/fields.ts';
import { findUnsafeName } from '../http/json-names.ts';
import { IfMatch } from '../http/preconditions.ts';
import { SEALING_PROBLEMS } from '../http/sealing-problems.ts';
import { ENTRY_PATH, EntryParams, LeaseToken } from './contract.ts';
import {
  MAX_ATTRIBUTES_BYTES,
  MAX_CONTENT_TYPE_CHARACTERS,
  MAX_GRACE_SECONDS,
  MAX_SOURCE_CHARACTERS,
  MAX_TAG_CHARACTERS,
  MAX_TAGS,
  MAX_TTL_SECONDS,
  MAX_VERSION_CHARACTERS,
  travels,
} from './entry-rules.ts';
import { readUploadId } from './large/upload-id.ts';

/** Milliseconds, or null for `never`. */
export const Ttl = z
  .union(
    [
      z.literal('never').transform(() => null),
      z
        .string()
        .regex(/^[1-9]\d{0,9}$/)
        .transform(Number)
        .pipe(z.int().max(MAX_TTL_SECONDS))
        .transform((seconds) => seconds * 1000),
    ],
    `must be whole seconds from 1 to ${MAX_TTL_SECONDS}, or never`,
  )
  .describe('Lifetime in seconds, or `never`. The deployment has a default.');

/** Milliseconds. */
export const Grace = z
  .string()
  .regex(/^\d{1,8}$/, `must be whole seconds from 0 to ${MAX_GRACE_SECONDS}`)
  .transform(Number)
  .pipe(z.int().max(MAX_GRACE_SECONDS))
  .transform((seconds) => seconds * 1000)
  .describe('How long after its lifetime it may be served stale, in seconds. The namespace has a default.');

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
  .refine(travels, `must have at most ${MAX_ATTRIBUTES_BYTES} characters, percent-encoded`)
  .pipe(z.record(z.string().min(1).max(64), z.string().max(1_024)));

const PutHeaders = z.object({
  'content-type': headerText(MAX_CONTENT_TYPE_CHARACTERS).optional(),
  'riptide-lease': LeaseToken.optional().describe('Store only while this lease is held. Else 412 `lease_lost`.'),
  'riptide-version': headerText(MAX_VERSION_CHARACTERS).optional().describe("The caller's own version of the value."),
  'riptide-source': headerText(MAX_SOURCE_CHARACTERS).optional().describe('Where the value comes from.'),
  'riptide-tags': Tags.optional().describe(`Up to ${MAX_TAGS} tags, separated by commas.`),
  'riptide-attributes': Attributes.optional().describe('A JSON object of strings, percent-encoded.'),
  'if-match': IfMatch.optional().describe('Store only over one of these ETags; `*`: only over an entry. Else 412.'),
  'if-none-match': z.literal('*', 'must be * on a write').optional().describe('`*`: store only what is new. Else 412.'),
});

export const PutEntryResponse = z.object({
  etag: z.string().describe('As in the ETag header, quotes included.'),
  created: z.boolean(),
  expires_at: Instant.nullable(),
  fresh_until: Instant.nullable().describe('It is stale from then on; null: it is fresh as long as it lives.'),
  updated_at: Instant,
  size_bytes: Count.describe('Of the value as sent.'),
  stored_bytes: Count.describe('Of the value as it is stored, packed or not, in Redis or in S3.'),
});
export type PutEntryResponse = z.output<typeof PutEntryResponse>;

export const BeginUploadResponse = z.object({
  upload_id: z.string(),
  url: z.string().describe('PUT the value there, without a key.'),
  method: z.literal('PUT'),
  headers: z.record(z.string(), z.string()).describe('To be sent with it.'),
  expires_at: Instant.describe('The last moment to store the entry; the URL ends five minutes before.'),
  commit: z.string().describe('PUT this path next, with an empty body and the headers of the entry.'),
});
export type BeginUploadResponse = z.output<typeof BeginUploadResponse>;

const PutQuery = z
  .strictObject({
    ttl_seconds: Ttl.optional(),
    grace_seconds: Grace.optional(),
    negative: Switch.describe('true, with an empty body: there is no such value, so nobody loads it.'),
    upload_bytes: z
      .string()
      .regex(/^[1-9]\d{0,9}$/, 'must be a whole number of bytes')
      .transform(Number)
      .optional()
      .describe('Length of a value to be uploaded to S3 first; send no body.'),
    upload_id: z
      .string()
      .refine((id) => readUploadId(id) !== null, 'must be as it was given when the upload began')
      .optional()
      .describe('Store what was uploaded under this id; send no body.'),
  })
  .refine(
    ({ upload_bytes, upload_id, negative }) =>
      [upload_bytes, upload_id, negative === 'true' || undefined].filter((given) => given !== undefined).length < 2,
    { message: 'upload_bytes, upload_id and negative do not go together' },
  );

export const putEntryContract = defineContract({
  method: 'PUT',
  path: ENTRY_PATH,
  name: 'putEntry',
  summary: 'Store a value',
  guard: tenant('cache:write'),
  params: EntryParams,
  query: PutQuery,
  headers: PutHeaders,
  body: 'bytes',
  replies: {
    200: { description: 'It took the place of another value', schema: PutEntryResponse },
    201: { description: 'It is new', schema: PutEntryResponse },
    202: { description: 'Upload the value, then store the entry', schema: BeginUploadResponse },
  },
  problems: [
    'precondition_failed',
    'lease_lost',
    'memory_full',
    'storage_full',
    'store_full',
    'body_too_large',
    'invalid_json',
    'upload_gone',
    'upload_mismatch',
    'blob_store_unavailable',
    ...SEALING_PROBLEMS,
  ],
});
