/** A real express app with express-session on a free port, over a store. Closed when its test ends. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import session, { type SessionData, type SessionOptions } from 'express-session';
import { onTestFinished } from 'vitest';

type Data = SessionData & Record<string, unknown>;

export interface Site {
  readonly url: string;
  /** Requests to `/held/…` have loaded their session, and wait. */
  readonly waiting: () => number;
  /** Lets those go on that wait. */
  release(): void;
}

/** `store` absent: express-session's own, in memory. */
export async function startSite(options: Partial<SessionOptions>): Promise<Site> {
  const held: (() => void)[] = [];
  const app = express();
  app.use(session({ secret: 'a secret of the tests', resave: false, saveUninitialized: false, ...options }));
  const data = (request: express.Request) => request.session as unknown as Data;

  app.get('/see', (request, response) => {
    const { cookie, ...rest } = data(request);
    response.json({ ...rest, sid: request.sessionID, originalMaxAge: cookie.originalMaxAge, maxAge: cookie.maxAge });
  });
  app.get('/set/:key/:value', (request, response) => {
    data(request)[request.params.key] = request.params.value;
    response.end();
  });
  app.get('/remove/:key', (request, response) => {
    delete data(request)[request.params.key];
    response.end();
  });
  // Loads, waits to be released, then changes and ends: a slow request.
  app.get('/held/:key/:value', async (request, response) => {
    await new Promise<void>((resolve) => held.push(resolve));
    data(request)[request.params.key] = request.params.value;
    response.end();
  });
  app.get('/held-remove/:key', async (request, response) => {
    await new Promise<void>((resolve) => held.push(resolve));
    delete data(request)[request.params.key];
    response.end();
  });
  app.get('/held-read', async (_request, response) => {
    await new Promise<void>((resolve) => held.push(resolve));
    response.end();
  });
  app.get('/login/:user', (request, response, next) => {
    request.session.regenerate((error: unknown) => {
      if (error) return next(error);
      data(request).user = request.params.user;
      response.end();
    });
  });
  app.get('/logout', (request, response, next) => {
    request.session.destroy((error: unknown) => (error ? next(error) : response.end()));
  });
  app.get('/unset', (request, response) => {
    (request as { session: unknown }).session = null;
    response.end();
  });
  app.get('/max-age/:ms', (request, response) => {
    request.session.cookie.maxAge = Number(request.params.ms);
    response.end();
  });
  app.get('/save-twice', (request, response, next) => {
    data(request).first = 1;
    request.session.save();
    data(request).second = 2;
    request.session.save((error: unknown) => (error ? next(error) : response.end()));
  });
  app.get('/reload', (request, response, next) => {
    data(request).dropped = true;
    request.session.reload((error: unknown) => {
      if (error) return next(error);
      data(request).reloaded = true;
      response.end();
    });
  });
  // Saved by hand: express-session itself has answered when its own save fails.
  app.get('/big', (request, response, next) => {
    data(request).big = 'x'.repeat(2 * 1024 * 1024);
    request.session.save((error: unknown) => (error ? next(error) : response.end()));
  });
  app.use(
    (
      error: Error & { status?: number; code?: string },
      _q: express.Request,
      response: express.Response,
      _n: express.NextFunction,
    ) => {
      if (response.headersSent) return void response.end();
      response.status(error.status ?? 500).end(error.code ?? error.message);
    },
  );

  const server = await new Promise<Server>((resolve) => {
    const listening: Server = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    waiting: () => held.length,
    release: () => {
      for (const go of held.splice(0)) go();
    },
  };
}
