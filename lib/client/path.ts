import { InvalidRequestError } from '../errors.ts';

/**
 * Puts values into `/cache/{namespace}/{key+}`, percent-encoded; a slash stays one in `{name+}` only.
 * @throws {InvalidRequestError} a value is missing, or would arrive as something else.
 */
export function fillPath(template: string, params: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)(\+?)\}/g, (_all, name: string, greedy: string) => {
    const value = params[name];
    if (typeof value !== 'string' || value === '') throw refuse(name, 'must not be empty');
    if (greedy === '' && value.includes('/')) throw refuse(name, 'must not hold a slash');
    return encodeValue(name, value);
  });
}

function encodeValue(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[?#\x00-\x1f\x7f]/.test(value)) throw refuse(name, 'must not hold ?, # or control characters in a path');
  // fetch resolves them, percent-encoded or not: another key would be met.
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(value)) throw refuse(name, 'must not hold the segments . or .. in a path');
  if (/[\ud800-\udfff]/u.test(value)) throw refuse(name, 'must be well-formed Unicode');
  return value.split('/').map(encodeURIComponent).join('/');
}

const refuse = (name: string, message: string) =>
  new InvalidRequestError('The request cannot travel as it is', { issues: [{ field: `path.${name}`, message }] });
