/**
 * Puts what a cold start reads into one file. esbuild cuts code that a start and a later `import()` share into a chunk of
 * its own: twenty small files, each found, read and linked at every cold start (8 ms of 37 for the cache read).
 */
import { basename } from 'node:path';
import { build, type Metafile, type Plugin, transform } from 'esbuild';

/** File name -> text; they lie beside each other. */
export type Chunks = ReadonlyMap<string, string>;

const ENTRY = 'index.js';
const MINIFIED = { minify: true, format: 'esm', platform: 'node', target: 'node24', legalComments: 'none' } as const;

/**
 * The same program, minified, with `index.js` and every chunk it imports statically as one `index.js`. What is loaded
 * later takes its share from there, so nothing exists twice.
 * @param chunks as esbuild writes them when it does not minify. @param outputs of the metafile that tells of them.
 * @throws {Error} a later chunk names a merged one in a way that is not known here.
 */
export async function mergeChunks(chunks: Chunks, outputs: Metafile['outputs']): Promise<Chunks> {
  const merged = eagerChunks(outputs);
  const shares = createShares(merged);
  const later = [...chunks].filter(([name]) => !merged.has(name)).map(([name, text]) => [name, shares.take(text)]);
  const texts = later.map(async ([name = '', text = '']) => [name, (await transform(text, MINIFIED)).code] as const);
  return new Map([[ENTRY, await joinAll(shares.entry(), chunks, merged)], ...(await Promise.all(texts))]);
}

/** The entry and every chunk it imports with an import statement, directly or through others. */
function eagerChunks(outputs: Metafile['outputs']): ReadonlySet<string> {
  const byName = new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output]));
  const seen = new Set([ENTRY]);
  for (const name of seen) {
    for (const { kind, path } of byName.get(name)?.imports ?? []) {
      if (kind === 'import-statement' && byName.has(basename(path))) seen.add(basename(path));
    }
  }
  return seen;
}

/** `import { a, b as c } from "./chunk-X.js";` over several lines, or without names. */
const FROM_CHUNK = /^import (?:\{([^}]*)\} from )?"\.\/([^"]+)";$/gm;

/** What later chunks take from merged ones, under names of its own: two chunks may give the same name. */
function createShares(merged: ReadonlySet<string>) {
  const taken = new Map<string, { readonly chunk: string; readonly outer: string; readonly alias: string }>();

  const aliasOf = (chunk: string, outer: string): string => {
    const one = taken.get(`${chunk} ${outer}`) ?? { chunk, outer, alias: `shared${taken.size}` };
    taken.set(`${chunk} ${outer}`, one);
    return one.alias;
  };

  return {
    /** The chunk, importing from the entry what it imported from merged chunks. */
    take(text: string): string {
      const rewritten = text.replace(FROM_CHUNK, (statement, names: string | undefined, chunk: string) => {
        if (!merged.has(chunk)) return statement;
        const imports = (names ?? '').split(',').flatMap((one) => {
          const [outer = '', inner = outer] = one.trim().split(' as ');
          return outer === '' ? [] : [`${aliasOf(chunk, outer)} as ${inner}`];
        });
        return `import { ${imports.join(', ')} } from "./${ENTRY}";`;
      });
      const left = [...merged].find((chunk) => chunk !== ENTRY && rewritten.includes(`"./${chunk}"`));
      if (left !== undefined) throw new Error(`${left} is imported in a way that cannot be merged`);
      return rewritten;
    },
    /** The source of the entry: what it gave before, and what is taken from it. */
    entry(): string {
      const exports = [...taken.values()].map(
        ({ chunk, outer, alias }) => `export { ${outer} as ${alias} } from './${chunk}';`,
      );
      return [`export * from './${ENTRY}';`, ...exports].join('\n');
    },
  };
}

async function joinAll(entry: string, chunks: Chunks, merged: ReadonlySet<string>): Promise<string> {
  const { outputFiles } = await build({
    ...MINIFIED,
    stdin: { contents: entry, sourcefile: 'entry.js', resolveDir: '/' },
    bundle: true,
    plugins: [inMemory(chunks, merged)],
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

const inMemory = (chunks: Chunks, merged: ReadonlySet<string>): Plugin => ({
  name: 'in-memory',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\// }, ({ path }) =>
      merged.has(basename(path)) ? { path: basename(path), namespace: 'chunk' } : { path, external: true },
    );
    onLoad({ filter: /.*/, namespace: 'chunk' }, ({ path }) => ({ contents: chunks.get(path) ?? '', loader: 'js' }));
  },
});
