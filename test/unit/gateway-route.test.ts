import { describe, expect, it } from 'vitest';
import { createRouteTable } from '../../infra/local/gateway-route.ts';

const route = (line: string) => {
  const [method = '', path = ''] = line.split(' ');
  return { method, path };
};

const table = createRouteTable(
  [
    'GET /cache/{namespace}/{key+}',
    'GET /cache/stats',
    'GET /cache/{namespace}',
    'ANY /cache/{namespace}/meta',
    'POST /admin/tenants',
    'GET /admin/tenants/{id}',
    'POST /admin/tenants/{id}/keys',
    'ANY $default',
  ].map(route),
);

describe('the route of a request [A14]', () => {
  it.each([
    ['GET', '/cache/stats', 'GET /cache/stats', undefined],
    ['GET', '/cache/other', 'GET /cache/{namespace}', { namespace: 'other' }],
    ['GET', '/cache/ns/a', 'GET /cache/{namespace}/{key+}', { namespace: 'ns', key: 'a' }],
    ['GET', '/cache/stats/a', 'GET /cache/{namespace}/{key+}', { namespace: 'stats', key: 'a' }],
    ['GET', '/cache/ns/meta', 'ANY /cache/{namespace}/meta', { namespace: 'ns' }],
    ['GET', '/cache/ns/meta/a', 'GET /cache/{namespace}/{key+}', { namespace: 'ns', key: 'meta/a' }],
    ['GET', '/cache/ns//a/', 'GET /cache/{namespace}/{key+}', { namespace: 'ns', key: '/a/' }],
    ['GET', '/cache/ns/', '$default', undefined],
    ['GET', '/cache//a', '$default', undefined],
    ['PUT', '/cache/ns/a', '$default', undefined],
    ['GET', '/admin/tenants', '$default', undefined],
    ['POST', '/admin/tenants/', '$default', undefined],
    ['POST', '/admin/tenants/t/keys', 'POST /admin/tenants/{id}/keys', { id: 't' }],
    ['GET', '/', '$default', undefined],
    ['GET', '/__proto__/constructor', '$default', undefined],
  ])('%s %s goes to %s', (method, path, routeKey, pathParameters) => {
    expect(table.match(method, path)).toMatchObject({ routeKey });
    expect(table.match(method, path)?.pathParameters).toEqual(pathParameters);
  });

  it('is unknown when nothing matches and no $default is declared', () => {
    expect(createRouteTable([route('GET /a')]).match('GET', '/b')).toBeUndefined();
  });

  it.each([
    [['GET /a/{x+}/b'], /last of a path/],
    [['GET /a/{b'], /Not a path segment/],
    [['GET /a/*'], /Not a path segment/],
    [['GET /a/{x}', 'GET /a/{y}'], /Two functions/],
  ])('refuses the declarations %j', (lines, message) => {
    expect(() => createRouteTable(lines.map(route))).toThrow(message);
  });
});
