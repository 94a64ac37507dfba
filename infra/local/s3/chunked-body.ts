import { invalidRequest, S3Error } from './s3-error.ts';

const MAX_LINE_BYTES = 1024;
const MAX_TRAILER_LINES = 16;
const CRLF = '\r\n';

/**
 * Decodes S3's own `aws-chunked` framing: `<hex size>\r\n<bytes>\r\n … 0\r\n<name>:<value>\r\n … \r\n`.
 * Strict: a size that is not plain hex, a missing line end, bytes after the end or a cut body are errors.
 * @param onTrailer called for each trailer, name in lower case, before the generator ends.
 * @throws {S3Error} 400 InvalidRequest or IncompleteBody.
 */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  onTrailer: (name: string, value: string) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const input = createByteReader(source);
  for (;;) {
    const line = await input.line();
    if (!/^[0-9a-f]{1,8}$/i.test(line)) throw invalidRequest('A chunk does not begin with its size');
    const sizeBytes = Number.parseInt(line, 16);
    if (sizeBytes === 0) break;
    yield* input.bytes(sizeBytes);
    if ((await input.line()) !== '') throw invalidRequest('A chunk is longer than its size');
  }
  await readTrailers(input, onTrailer);
  if (await input.hasMore()) throw invalidRequest('There are bytes after the last chunk');
}

async function readTrailers(input: ByteReader, onTrailer: (name: string, value: string) => void): Promise<void> {
  for (let count = 0; count <= MAX_TRAILER_LINES; count += 1) {
    const line = await input.line();
    if (line === '') return;
    const colon = line.indexOf(':');
    if (colon < 1) throw invalidRequest('A trailer is not a name and a value');
    onTrailer(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  throw invalidRequest('There are too many trailers');
}

type ByteReader = ReturnType<typeof createByteReader>;

/** Reads lines and counted bytes from a stream whose buffers are cut anywhere; holds one buffer and one line. */
function createByteReader(source: AsyncIterable<Buffer>) {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);

  async function hasMore(): Promise<boolean> {
    while (held.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return false;
      held = next.value;
    }
    return true;
  }

  async function pull(): Promise<void> {
    if (!(await hasMore())) throw new S3Error(400, 'IncompleteBody', 'The body ends before its last chunk.');
  }

  async function line(): Promise<string> {
    let text = '';
    for (;;) {
      await pull();
      const end = held.indexOf('\n');
      const taken = held.subarray(0, end < 0 ? held.length : end + 1);
      held = held.subarray(taken.length);
      text += taken.toString('latin1');
      if (text.length > MAX_LINE_BYTES) throw invalidRequest('A line between chunks is too long');
      if (end < 0) continue;
      if (!text.endsWith(CRLF)) throw invalidRequest('A line between chunks does not end as it must');
      return text.slice(0, -CRLF.length);
    }
  }

  async function* bytes(count: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = count; left > 0; ) {
      await pull();
      const part = held.subarray(0, left);
      held = held.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  return { hasMore, line, bytes };
}
