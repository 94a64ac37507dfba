/** Takes a request target apart as the gateway does: the path decoded once, then left alone. */

import { GatewayError } from './gateway-problem.ts';
import { appendValue } from './gateway-record.ts';

/**
 * Path and query of a request target. The path is decoded (`%2F` equals `/`); `..` and `//` stay as they are. The query
 * stays encoded.
 * @throws {GatewayError} 400: not a path, not ASCII, or not percent-encoded UTF-8.
 */
export function decodeTarget(target: string): { readonly path: string; readonly query: string } {
  if (!/^\/[\x21-\x7e]*$/.test(target))
    throw new GatewayError(400, 'invalid_request', 'The request target must be a percent-encoded path');
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  return { path: decode(path, 'path'), query: mark < 0 ? '' : target.slice(mark + 1) };
}

/**
 * The parameters of a query, decoded; those given twice joined by commas.
 * @throws {GatewayError} 400: not percent-encoded UTF-8.
 */
export function decodeQuery(query: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? '' : pair.slice(equals + 1);
    appendValue(parameters, decodePlus(name), decodePlus(value));
  }
  return parameters;
}

const decodePlus = (text: string): string => decode(text.replaceAll('+', ' '), 'query');

function decode(text: string, where: 'path' | 'query'): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new GatewayError(400, 'invalid_request', `The ${where} is not percent-encoded UTF-8`);
  }
}
