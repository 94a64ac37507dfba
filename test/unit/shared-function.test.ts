import { describe, expect, it } from 'vitest';
import { sharedFunction } from '../../lib/http/shared-function.ts';

const reply = (body: string) => async () => ({ statusCode: 200, headers: {}, body });
const context = {} as never;

describe('a function that several endpoints share [A14]', () => {
  it('loads the endpoint of the route, and no other', async () => {
    const loaded: string[] = [];
    const endpoint = (name: string) => async () => {
      loaded.push(name);
      return { handler: reply(name) };
    };
    const handler = sharedFunction({ 'GET /a': endpoint('a'), 'GET /b/{id}': endpoint('b') });
    expect(loaded).toEqual([]);
    expect(await handler({ routeKey: 'GET /b/{id}' }, context)).toMatchObject({ body: 'b' });
    expect(loaded).toEqual(['b']);
  });

  it('tries again when an endpoint could not be loaded', async () => {
    let tries = 0;
    const load = async () => {
      tries += 1;
      if (tries === 1) throw new Error('no file');
      return { handler: reply('a') };
    };
    const handler = sharedFunction({ 'GET /a': load });
    await expect(handler({ routeKey: 'GET /a' }, context)).rejects.toThrow('no file');
    expect(await handler({ routeKey: 'GET /a' }, context)).toMatchObject({ body: 'a' });
  });

  it.each(['GET /c', 'constructor', undefined])('refuses the route %s, which it does not serve', async (routeKey) => {
    const handler = sharedFunction({ 'GET /a': async () => ({ handler: reply('a') }) });
    await expect(handler(routeKey === undefined ? {} : { routeKey }, context)).rejects.toThrow('does not serve');
  });
});
