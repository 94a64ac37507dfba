/** Reads infra/functions.yml, the one list of endpoints and schedules. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** One event that calls a function, as the Serverless Framework writes it. */
export interface FunctionEvent {
  /** `GET /cache/{namespace}/{key+}`, or `*` for whatever no other route takes. */
  readonly httpApi?: string;
  readonly schedule?: { readonly rate: readonly string[]; readonly input?: unknown };
}

/** An endpoint or a schedule. */
export interface FunctionEntry {
  /** Its name in functions.yml: area and file in camelCase, as `cacheGetEntry`. */
  readonly key: string;
  /** Path of its source from the root of the repository, as `functions/cache/get-entry.ts`. */
  readonly source: string;
  readonly events: readonly FunctionEvent[];
  /** Whether it asks for a Lambda function of its own. */
  readonly own: boolean;
  /** Whatever else is said of it, for the Serverless Framework: `role`, `timeout`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The name a function file has everywhere: `functions/cache/get-entry.ts` is `cacheGetEntry`. */
export function functionKey(source: string): string {
  return source
    .replace(/^functions\//, '')
    .replace(/\.ts$/, '')
    .replace(/[-/](\w)/g, (_match, letter: string) => letter.toUpperCase());
}

/** The entries of `<root>/infra/functions.yml` in their order. @throws {Error} an entry's handler is not `functions/….handler`. */
export function readFunctionList(root: string): readonly FunctionEntry[] {
  const list = parse(readFileSync(join(root, 'infra/functions.yml'), 'utf8')) as Record<
    string,
    { handler: string; own?: boolean; events?: FunctionEvent[] }
  >;
  return Object.entries(list).map(([key, { handler, events = [], own = false, ...settings }]) => {
    const source = /^(functions\/.+)\.handler$/.exec(handler)?.[1];
    if (source === undefined)
      throw new Error(`infra/functions.yml: ${key}: handler must read functions/<area>/<verb-noun>.handler`);
    return { key, source: `${source}.ts`, events, own, settings };
  });
}
