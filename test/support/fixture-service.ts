/** A small service for tests of the local host: its own serverless.yml and functions, in a folder of its own. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What each function does, by name; the body of `async (event, context) => {…}`. */
export type FixtureFunctions = Readonly<
  Record<string, { readonly events: readonly string[]; readonly body: string; readonly timeout?: number }>
>;

/** Answers with the event it got. */
export const ECHO =
  "return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) };";

/** Writes the service; its folder is the caller's to remove. @returns the path of its serverless.yml. */
export async function writeFixtureService(functions: FixtureFunctions): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-service-'));
  const entries = Object.entries(functions).map(async ([name, { events, body, timeout = 29 }]) => {
    await writeFile(join(dir, `${name}.mjs`), `export const handler = async (event, context) => { ${body} };\n`);
    return [name, { handler: `${name}.handler`, timeout, events: events.map((event) => ({ httpApi: event })) }];
  });
  const file = join(dir, 'serverless.yml');
  // JSON is YAML, too.
  await writeFile(
    file,
    JSON.stringify({ service: 'fixture', functions: Object.fromEntries(await Promise.all(entries)) }),
  );
  return file;
}
