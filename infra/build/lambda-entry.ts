/** The file Lambda loads: registers for SIGTERM, then loads the function. */
import { join } from 'node:path';
import { build } from 'esbuild';

const ENTRY = 'index.js';
const MAIN = 'main.js';
const EXTENSION = join(import.meta.dirname, '../../lib/shutdown/lambda-extension.ts');

let entry: Promise<string> | undefined;

/**
 * The bundle with its entry as `main.js`, and a small entry before it. While that waits for the other file, its request is on
 * its way: evaluating the function takes too long to be followed by it.
 * @param files of a bundle whose entry exports `handler`.
 */
export async function withLambdaEntry(
  files: ReadonlyMap<string, Uint8Array>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  entry ??= entryText();
  const moved = [...files].map(([name, content]) => [name === ENTRY ? MAIN : name, namingMain(content)] as const);
  return new Map([[ENTRY, Buffer.from(await entry)], ...moved]);
}

/** JavaScript bytes that a cold start reads before the function's own. */
export const entryBytes = (files: ReadonlyMap<string, Uint8Array>): number => files.get(ENTRY)?.length ?? 0;

async function entryText(): Promise<string> {
  const contents = `
    import { registerExtension } from ${JSON.stringify(EXTENSION)};
    const api = process.env.AWS_LAMBDA_RUNTIME_API;
    if (api) registerExtension(api);
    export const { handler } = await import('./${MAIN}');`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    external: [`./${MAIN}`],
    write: false,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    legalComments: 'none',
  });
  return outputFiles[0]?.text ?? '';
}

/** Chunks take what they share from the entry, by its name. */
const namingMain = (content: Uint8Array): Uint8Array => {
  const text = Buffer.from(content).toString('utf8');
  return text.includes(`./${ENTRY}`) ? Buffer.from(text.replaceAll(/(["'])\.\/index\.js\1/g, `"./${MAIN}"`)) : content;
};
