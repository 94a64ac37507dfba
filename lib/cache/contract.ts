/**
 * The cache endpoints: what they take and give. The body of an entry is its value, byte for byte. Writing and removing have
 * files of their own, put-contract.ts and delete-contract.ts: a cold start of a read builds no schema it does not need.
 */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { IfNoneMatch } from '../http/preconditions.ts';
import { SEALING_PROBLEMS } from '../http/sealing-problems.ts';
import { MAX_KEY_BYTES } from '../keys.ts';
import { NAMESPACE } from './entry-rules.ts';

export const Namespace = z
  .string()
  .regex(NAMESPACE, 'must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit');

/** In a path; keys with `?`, `#` or control characters cannot travel there unharmed. */
export const PathKey = z
  .string()
  .min(1)
  .refine((key) => Buffer.byteLength(key) <= MAX_KEY_BYTES, `must have at most ${MAX_KEY_BYTES} bytes`)
  .refine((key) => key.isWellFormed() && !key.includes('\ufffd'), 'must be well-formed UTF-8')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .refine((key) => !/[?#\x00-\x1f\x7f]/.test(key), 'must not hold ?, # or control characters');

export const EntryParams = z.object({ namespace: Namespace, key: PathKey });

const ENTRY_HEADERS = {
  etag: 'Changes whenever the value or its metadata does.',
  age: 'Seconds since it was written.',
  'riptide-expires-at': 'ISO 8601, or never.',
  'riptide-size-bytes': 'Of the value.',
  'riptide-memory-bytes':
    'What the entry takes of the memory quota, key and overhead included; of a value in S3 its stub.',
  'riptide-compression': 'What the value is packed by: lz4, zstd or none.',
  'riptide-fresh-until': 'ISO 8601: it is stale from then on. Absent: it is fresh as long as it lives.',
  'riptide-stale': 'true: it is past its lifetime, and served because `stale=allow` asked for it so.',
  'riptide-version': 'As given when it was written.',
  'riptide-source': 'As given when it was written.',
  'riptide-tags': 'As given when it was written.',
  'riptide-attributes': 'As given when it was written.',
};

const LINK_HEADER = {
  'riptide-link':
    'Of `large=link`, where the value is above 4 MiB: the URL to read it by. The body tells of it in JSON.',
};

export const ValueLinkResponse = z.object({
  url: z.string(),
  expires_at: z.string().describe('ISO 8601: until then it can be used.'),
  size_bytes: z.int(),
  sha256: z.string().describe('Of the value, base64url.'),
});
export type ValueLinkResponse = z.output<typeof ValueLinkResponse>;

export const ENTRY_PATH = '/cache/{namespace}/{key+}';
/** A token tells of its lease when it was granted, and no two are alike. */
export const LeaseToken = z.string().regex(/^\d{1,16}-[0-9a-f]{24}$/, 'must be a token as Riptide-Lease gave it');

const Stale = z.literal('allow', 'must be allow').optional().describe('allow: a value in its grace will do, labelled.');
const LeaseMs = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, 'must be whole milliseconds from 1 to 60000')
  .transform(Number)
  .pipe(z.int().max(60_000))
  .optional()
  .describe(
    'How long a load may take, ms. Of all who miss at once one is given the lease: `Riptide-Lease`, to be sent with the PUT; ' +
      'the others `Riptide-Lease-Held: true` and `Retry-After`. Both come with the 404 and with a stale value. ' +
      '`Riptide-Known-Absent: true` on a 404: nothing is to be loaded. A deployment may allow less.',
  );
const Large = z
  .literal('link', 'must be link')
  .optional()
  .describe('Of a value above 4 MiB: 200 with the header `Riptide-Link`, for who cannot follow a redirect.');
const LEASE_HEADERS = {
  'riptide-lease': 'With a stale value: this caller is to load a new one, and to send this token with it.',
  'riptide-lease-held': 'true, with a stale value: somebody else loads a new one.',
};

const readProblems = ['entry_not_found'] as const;
// A large value that is packed is put into S3 as it was given, and that object is named in Redis first: `store_full`.
const valueProblems = [...readProblems, 'blob_store_unavailable', 'store_full', ...SEALING_PROBLEMS] as const;

export const getEntryContract = defineContract({
  method: 'GET',
  path: ENTRY_PATH,
  name: 'getEntry',
  summary: 'Read a value',
  guard: tenant('cache:read'),
  params: EntryParams,
  query: z.strictObject({ stale: Stale, lease_ms: LeaseMs, large: Large }),
  headers: z.object({ 'if-none-match': IfNoneMatch.optional() }),
  replies: {
    200: {
      description: 'The value, with its content type',
      bytes: true,
      headers: { ...ENTRY_HEADERS, ...LEASE_HEADERS, ...LINK_HEADER },
    },
    303: {
      description: 'It is above 4 MiB: read it there, without a key',
      schema: ValueLinkResponse,
      headers: ENTRY_HEADERS,
    },
    304: { description: 'Unchanged: the caller has it' },
  },
  problems: valueProblems,
});

export const headEntryContract = defineContract({
  method: 'HEAD',
  path: ENTRY_PATH,
  name: 'headEntry',
  summary: 'Read what is known of a value, without it',
  guard: tenant('cache:read'),
  params: EntryParams,
  query: z.strictObject({ stale: Stale }),
  replies: { 200: { description: 'The headers of the value', headers: ENTRY_HEADERS } },
  problems: readProblems,
});
