import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { createClient } from '../../lib/client/client.ts';
import { allContracts } from '../../lib/http/contracts.ts';

/** The part of zod that contracts use; it does not grow with them. */
const MAX_ZOD_BYTES = 104 * 1024;
/** What is ours in it: the client, and so much for each endpoint's contract. */
const MAX_OWN_BYTES = 16 * 1024 + allContracts.length * 1024;

async function bundleClient() {
  const result = await build({
    absWorkingDir: join(import.meta.dirname, '../..'),
    entryPoints: ['lib/client/client.ts'],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'riptide',
    target: 'es2024',
    logLevel: 'silent',
  });
  const [file] = result.outputFiles;
  const [output] = Object.values(result.metafile.outputs);
  return {
    text: file?.text ?? '',
    bytes: file?.contents.length ?? 0,
    inputs: Object.keys(result.metafile.inputs),
    kept: Object.entries(output?.inputs ?? {}),
  };
}

let bundled: Awaited<ReturnType<typeof bundleClient>>;
beforeAll(async () => {
  bundled = await bundleClient();
});

describe('the client is a client only [A16]', () => {
  it('brings contracts and zod, and nothing of the server', () => {
    const server =
      /^lib\/(app|redis|blobs|config|crypto|jobs\/(?!contract\.ts)|metrics)|^lib\/http\/(route|guards|event|openapi)/;
    const others = bundled.inputs.filter((path) => server.test(path) || !/^lib\/|^node_modules\/zod\//.test(path));
    expect(others).toEqual([]);
  });

  it('stays small', () => {
    const own = bundled.kept.filter(([path]) => path.startsWith('lib/'));
    const ownBytes = own.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
    expect(ownBytes).toBeLessThanOrEqual(MAX_OWN_BYTES);
    expect(bundled.bytes - ownBytes).toBeLessThanOrEqual(MAX_ZOD_BYTES);
  });

  it('runs where there is nothing of Node', async () => {
    const server = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"live"}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    // All that a browser or an edge runtime has of these.
    const web = {
      fetch,
      Headers,
      URL,
      URLSearchParams,
      AbortSignal,
      AbortController,
      TextEncoder,
      TextDecoder,
      crypto,
    };
    const context = createContext({ ...web, setTimeout, clearTimeout, performance });
    runInContext(`${bundled.text}; globalThis.createClient = riptide.createClient`, context);
    const create = context.createClient as typeof createClient;
    const client = create({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    expect(await client.checkLive()).toMatchObject({ ok: true, data: { status: 'live' } });
    const refused = await client.getEntry({ params: { namespace: 'n', key: '?' } });
    expect(refused).toMatchObject({ ok: false, problem: { code: 'invalid_request' } });
  });
});
