import type { MiddlewareObj } from '@middy/core';
import { loadedApp } from '../app.ts';
import { type Admission, rateHeaders } from '../gate/admission.ts';
import { corsHeaders } from './cors.ts';
import type { HttpEvent, HttpReply } from './event.ts';
import { traceHeaders } from './traceparent.ts';

/** What the gate said of the caller's limits, by the event it was asked for. */
export const admissions = new WeakMap<HttpEvent, Admission>();

/** The headers every answer carries, a value or a problem: request id, trace, limits, what a browser may read. */
export const commonHeaders = (): MiddlewareObj<HttpEvent, HttpReply> => {
  const add = ({ event, response }: { event: HttpEvent; response: HttpReply | null | undefined }) => {
    if (!response) return;
    const admission = admissions.get(event);
    Object.assign(response.headers, {
      'x-request-id': event.requestContext?.requestId ?? 'none',
      ...traceHeaders(event),
      ...corsHeaders(event, loadedApp()?.config.http.corsOrigins ?? []),
      ...(admission === undefined ? {} : rateHeaders(admission)),
    });
  };
  return { after: add, onError: add };
};
