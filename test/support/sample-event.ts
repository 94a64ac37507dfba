/** The events below events/, with their placeholders filled. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const EVENTS = join(import.meta.dirname, '../../events');

/**
 * @param name of the function's file below functions/, as `cache/get-entry`.
 * @param values for `${RIPTIDE_KEY}`, `${RIPTIDE_ADMIN_KEY}` and `${RIPTIDE_TENANT}`; what is not given stays as it is.
 */
export function sampleEvent(name: string, values: Readonly<Record<string, string>> = {}): unknown {
  const text = readFileSync(join(EVENTS, `${name}.json`), 'utf8');
  return JSON.parse(
    text.replace(/\$\{(RIPTIDE_\w+)\}/g, (placeholder, variable: string) => values[variable] ?? placeholder),
  );
}
