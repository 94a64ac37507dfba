/** A value too large for a reply is read from where the reply says; the key does not go there. */
import type { Failure } from './call.ts';
import { unexpectedReply } from './failure.ts';
import type { AnyReply } from './read-reply.ts';

/** Names of endpoints that are asked to link to large values, and how. */
export const LINKING: Readonly<Record<string, Readonly<Record<string, string>>>> = { getEntry: { large: 'link' } };

/** @throws whatever fetch throws. */
export async function followLink(
  reply: AnyReply | Failure,
  read: (url: string) => Promise<Response>,
): Promise<AnyReply | Failure> {
  const url = reply.ok ? reply.headers.get('riptide-link') : null;
  if (!reply.ok || url === null) return reply;
  const response = await read(url);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200)
    return unexpectedReply(response, `The store of large values answered ${response.status}`);
  return { ...reply, bytes, contentType: response.headers.get('content-type') ?? '' };
}
