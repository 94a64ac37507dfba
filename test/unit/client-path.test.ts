import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillPath } from '../../lib/client/path.ts';

const path = (key: string) => fillPath('/cache/{namespace}/{key+}', { namespace: 'n', key });

describe('a key arrives as it was given, or is not sent [A16]', () => {
  it.each([
    ['a/b', '/cache/n/a/b'],
    ['a//b/', '/cache/n/a//b/'],
    ['50%', '/cache/n/50%25'],
    ['%2e%2e', '/cache/n/%252e%252e'],
    ['ü:{*}\\', '/cache/n/%C3%BC%3A%7B*%7D%5C'],
    ['...', '/cache/n/...'],
    ['__proto__', '/cache/n/__proto__'],
  ])('%s', (key, expected) => expect(path(key)).toBe(expected));

  it.each(['', 'a?b', 'a#b', 'a\0', 'a\nb', '\x7f', '.', '..', 'a/../b', './a', 'a/.', '\ud800', 'a\udfffb'])(
    'refuses %j',
    (key) => expect(() => path(key)).toThrow(expect.objectContaining({ code: 'invalid_request' })),
  );

  it('names the parameter, never its value', () => {
    try {
      path('secret?');
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ issues: [{ field: 'path.key' }] });
      expect(JSON.stringify(error)).not.toContain('secret');
    }
  });

  it('refuses a slash, or nothing, where one segment belongs', () => {
    for (const id of ['a/b', '', undefined as unknown as string])
      expect(() => fillPath('/admin/tenants/{id}', { id })).toThrow('cannot travel');
  });

  it('survives the way through a URL and one decoding, whatever the key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (key) => {
        let sent: string;
        try {
          sent = path(key);
        } catch {
          return;
        }
        expect(decodeURIComponent(new URL(sent, 'http://host').pathname)).toBe(`/cache/n/${key}`);
      }),
    );
  });
});
