/** Redis replies as the JSON text Upstash sends. Written by hand: base64 needs no scan for characters to escape. */

/** A reply as the link gives it: bytes stay bytes, integers are their digits (64 bits do not fit a number). */
export type LinkReply = Buffer | string | null | Error | readonly LinkReply[];

/** `base64`: every string in base64, but `OK`, as the client's decoder expects. `plain`: as UTF-8 text. */
export type ReplyEncoding = 'plain' | 'base64';

/** `{"result":…}`, or `{"error":"…"}` for an error reply; error texts are never in base64. */
export function answerJson(reply: LinkReply, encoding: ReplyEncoding): string {
  return reply instanceof Error ? errorJson(reply.message) : `{"result":${replyJson(reply, encoding)}}`;
}

/** `{"error":"…"}`. */
export function errorJson(message: string): string {
  return `{"error":${JSON.stringify(message)}}`;
}

function replyJson(reply: LinkReply, encoding: ReplyEncoding): string {
  if (reply === null || typeof reply === 'string') return reply ?? 'null';
  if (Buffer.isBuffer(reply)) return encoding === 'base64' ? base64Json(reply) : JSON.stringify(reply.toString('utf8'));
  if (reply instanceof Error) return replyJson(Buffer.from(reply.message), encoding);
  return `[${reply.map((item) => replyJson(item, encoding)).join(',')}]`;
}

function base64Json(bytes: Buffer): string {
  const isOk = bytes.length === 2 && bytes[0] === 0x4f && bytes[1] === 0x4b;
  return isOk ? '"OK"' : `"${bytes.toString('base64')}"`;
}
