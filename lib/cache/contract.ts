/**
 * The cache endpoints: what they take and give. The body of an entry is its value, byte for byte. Writing and removing have
 * files of their own, put-contract.ts and delete-contract.ts: a cold start of a read builds no schema it does not need.
 */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { IfNoneMatch } from '../http/preconditions.ts';
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
  'riptide-version': 'As given when it was written.',
  'riptide-source': 'As given when it was written.',
  'riptide-tags': 'As given when it was written.',
  'riptide-attributes': 'As given when it was written.',
};

export const ENTRY_PATH = '/cache/{namespace}/{key+}';
const readProblems = ['entry_not_found'] as const;

export const getEntryContract = defineContract({
  method: 'GET',
  path: ENTRY_PATH,
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
  path: ENTRY_PATH,
  name: 'headEntry',
  summary: 'Read what is known of a value, without it',
  guard: tenant('cache:read'),
  params: EntryParams,
  replies: { 200: { description: 'The headers of the value', headers: ENTRY_HEADERS } },
  problems: readProblems,
});
