/** `node --import ./infra/lua-hook.ts …`: lets plain Node import .lua files as text, includes inlined. */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { readLua } from './lua-source.ts';

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith('.lua')) return nextLoad(url, context);
    const source = `export default ${JSON.stringify(readLua(fileURLToPath(url)))};`;
    return { format: 'module', source, shortCircuit: true };
  },
});
