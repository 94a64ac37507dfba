/** Storing a value that is too large for a body: announced, sent to S3 by a signed URL, then stored as any other. */
import type { putEntryContract } from '../cache/put-contract.ts';
import type { Call, Failure, Outcome } from './call.ts';
import type { Client } from './client.ts';
import { localFailure, unexpectedReply } from './failure.ts';

type Put = Call<typeof putEntryContract>;
type PutOutcome = Outcome<typeof putEntryContract>;
/** As of `putEntry`: without the reply that an upload has begun. */
export type UploadOutcome = Exclude<PutOutcome, { readonly status: 202 }>;

/**
 * As `putEntry`, of a value of any size the deployment takes; conditions are checked when it is stored. Three requests: for what
 * fits into a body (4 MiB) `putEntry` is one. The sending has no time limit but `signal`. Ended midway, nothing is stored, and what was sent to S3 is deleted by itself.
 *
 * @example const stored = await uploadEntry(client, { params: { namespace: 'media', key: 'film' }, body: bytes });
 */
export async function uploadEntry(
  { putEntry }: Pick<Client, 'putEntry'>,
  { body, query, ...put }: Omit<Put, 'body'> & { readonly body: Uint8Array },
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<UploadOutcome> {
  const { params, signal } = put;
  const ends = signal === undefined ? {} : { signal };
  const begun = await putEntry({ ...ends, params, query: { upload_bytes: body.length }, body: '' });
  if (!begun.ok || begun.status !== 202) return begun;
  const { url, method, headers, upload_id } = begun.data;
  const failure = await sendTo(url, { method, headers, body: body as Uint8Array<ArrayBuffer>, ...ends }, fetch);
  if (failure !== null) return failure;
  const stored = await putEntry({ ...put, query: { ...query, upload_id }, body: '' });
  return stored.ok && stored.status === 202 ? localFailure('network_error', 'The service did not store it') : stored;
}

/** The key does not go there. @returns null: it is there. */
async function sendTo(url: string, init: RequestInit, fetch: typeof globalThis.fetch): Promise<Failure | null> {
  try {
    const response = await fetch(url, init);
    if (response.ok) return null;
    await response.body?.cancel();
    return unexpectedReply(response, `The store of large values answered ${response.status}`);
  } catch {
    if (init.signal?.aborted) return localFailure('aborted', 'The caller ended the call; nothing is stored');
    return localFailure('network_error', 'The store of large values cannot be reached, or the connection broke');
  }
}
