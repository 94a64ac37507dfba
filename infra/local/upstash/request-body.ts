/** Reads a request's body, up to Upstash's limit. */
import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError } from '../../../lib/errors.ts';

const MAX_BYTES = 10 * 1024 * 1024;
/** A client sends all of its request before it reads the answer; beyond this it is cut off. */
const MAX_DISCARDED_BYTES = 8 * MAX_BYTES;
const NO_BODY = Buffer.alloc(0);

/**
 * The whole body. One that is too large is read and dropped, so that its sender gets to see the refusal.
 * @throws {BodyTooLargeError} more than 10 MB.
 * @throws {Error} the client went away.
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BYTES) chunks.push(chunk);
      else chunks.length = 0;
      if (size > MAX_DISCARDED_BYTES) request.destroy();
    });
    request.on('end', () => (size > MAX_BYTES ? reject(tooLarge(size)) : resolve(joined(chunks))));
    request.on('error', reject);
  });
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [first = NO_BODY] = chunks;
  return chunks.length > 1 ? Buffer.concat(chunks) : first;
}

function tooLarge(size: number): BodyTooLargeError {
  return new BodyTooLargeError(`ERR max request size exceeded. Limit: ${MAX_BYTES} bytes, Actual: ${size} bytes`);
}
