/** The body of an event: as bytes, or as JSON of bounded size and depth. */
import { isUtf8 } from 'node:buffer';
import { BodyTooLargeError, InvalidJsonError, UnsupportedMediaTypeError } from '../errors.ts';
import { type HttpEvent, MAX_BODY_BYTES } from './event.ts';
import { findUnsafeName } from './json-names.ts';

export const MAX_JSON_DEPTH = 32;

/** @throws {UnsupportedMediaTypeError} it is encoded. @throws {BodyTooLargeError} over 4 MiB. */
export function readBytes(event: HttpEvent): Buffer {
  const encoding = event.headers?.['content-encoding'] ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw new UnsupportedMediaTypeError('Send the body without Content-Encoding', {
      details: { header: 'content-encoding' },
    });
  }
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) {
    throw new BodyTooLargeError(`A body may have ${MAX_BODY_BYTES} bytes`, { details: { max_bytes: MAX_BODY_BYTES } });
  }
  return bytes;
}

/**
 * @throws as {@link readBytes}. @throws {UnsupportedMediaTypeError} it is not said to be JSON in UTF-8.
 * @throws {InvalidJsonError} it is not, nests deeper than 32 levels, or has names that readers disagree about.
 */
export function readJson(event: HttpEvent): unknown {
  requireJsonType(event.headers?.['content-type'] ?? '');
  const bytes = readBytes(event);
  const json = parseJson(bytes, MAX_JSON_DEPTH);
  requireSafeNames(bytes.toString('utf8'));
  return json;
}

/** @throws {UnsupportedMediaTypeError} */
export function requireJsonType(type: string): void {
  if (!isJsonType(type) || !/^(?:utf-?8)?$/i.test(charsetOf(type))) {
    throw new UnsupportedMediaTypeError('Send JSON in UTF-8, with Content-Type: application/json');
  }
}

/** @throws {InvalidJsonError} */
export function requireSafeNames(json: string): void {
  if (findUnsafeName(json) !== undefined)
    throw new InvalidJsonError('The body names a field twice in one object, or names one "__proto__"');
}

/** @throws {InvalidJsonError} */
export function parseJson(bytes: Buffer, maxDepth: number): unknown {
  if (!isUtf8(bytes)) throw new InvalidJsonError('The body is not UTF-8');
  const text = bytes.toString('utf8');
  if (text.trim() === '')
    throw new InvalidJsonError('The body is empty; send a JSON object, {} where nothing is to be said');
  if (depthOf(text) > maxDepth) throw new InvalidJsonError(`The body nests deeper than ${maxDepth} levels`);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text: a value, so it is not passed on.
    throw new InvalidJsonError('The body is not valid JSON');
  }
}

/** `application/json` and the `+json` types. */
export const isJsonType = (contentType: string): boolean =>
  /^application\/(?:[\w.-]+\+)?json$/i.test((contentType.split(';', 1)[0] ?? '').trim());

const charsetOf = (contentType: string) => /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1] ?? '';

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (inString) {
      if (char === 92) i++;
      else if (char === 34) inString = false;
    } else if (char === 34) inString = true;
    else if (char === 123 || char === 91) deepest = Math.max(deepest, ++depth);
    else if (char === 125 || char === 93) depth--;
  }
  return deepest;
}
