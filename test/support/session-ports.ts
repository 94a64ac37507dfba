/** The ways an adapter reaches sessions: the library over each transport, and the typed client over HTTP. A fresh tenant each time. */
import type { App } from '../../lib/app.ts';
import { createClient } from '../../lib/client/client.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { createClientSessions } from '../../lib/sessions/adapters/client-sessions.ts';
import { createLibrarySessions } from '../../lib/sessions/adapters/library-sessions.ts';
import type { SessionPort } from '../../lib/sessions/adapters/session-port.ts';
import { newTenant, type Transport, testApp } from './app.ts';
import { type Door, openDoor } from './door.ts';

export interface OpenPort {
  readonly port: SessionPort;
  readonly app: App;
  readonly caller: Caller;
}

export type PortName = 'the library, tcp' | 'the library, rest' | 'the client, http';
export const PORTS: readonly PortName[] = ['the library, tcp', 'the library, rest', 'the client, http'];

const apps = new Map<Transport, Promise<App>>();
let door: Promise<Door> | undefined;

export async function openPort(name: PortName = 'the library, tcp'): Promise<OpenPort> {
  if (name === 'the client, http') return overHttp();
  const transport = name === 'the library, rest' ? 'rest' : 'tcp';
  const opening = apps.get(transport) ?? testApp({ transport });
  apps.set(transport, opening);
  const app = await opening;
  const { caller } = await newTenant(app);
  return { port: createLibrarySessions({ sessions: app.sessions, caller }), app, caller };
}

async function overHttp(): Promise<OpenPort> {
  door ??= openDoor();
  const { app, call } = await door;
  const { caller, key } = await newTenant(app);
  const send = async (input: unknown, { method = 'GET', headers, body }: RequestInit = {}) => {
    const { pathname, search } = new URL(String(input));
    const given = Object.fromEntries(new Headers(headers));
    const reply = await call({
      method,
      target: pathname + search,
      headers: given,
      body: (body ?? undefined) as string | undefined,
    });
    const none = [204, 304].includes(reply.status);
    return new Response(none ? null : new Uint8Array(reply.body), { status: reply.status, headers: reply.headers });
  };
  const client = createClient({ baseUrl: 'http://riptide.test', key, fetch: send });
  return { port: createClientSessions(client), app, caller };
}

/** Counts the calls of a port, by method. */
export function counted(port: SessionPort): { readonly port: SessionPort; readonly calls: string[] } {
  const calls: string[] = [];
  const entries = Object.entries(port).map(([method, call]) => [
    method,
    (...args: unknown[]) => {
      calls.push(method);
      return call(...args);
    },
  ]);
  return { port: Object.fromEntries(entries) as SessionPort, calls };
}
