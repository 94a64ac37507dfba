import type { HttpEvent } from './event.ts';
import { MAX_JSON_DEPTH, parseJson, readBytes, requireJsonType, requireSafeNames } from './request-body.ts';

/**
 * A body that is one JSON value, as it was sent, without the spaces around it; also without a content type. @throws as `readJson`.
 */
export function readJsonText(event: HttpEvent): string {
  const type = event.headers?.['content-type'];
  if (type !== undefined) requireJsonType(type);
  const bytes = readBytes(event);
  parseJson(bytes, MAX_JSON_DEPTH);
  const text = bytes.toString('utf8').trim();
  requireSafeNames(text);
  return text;
}
