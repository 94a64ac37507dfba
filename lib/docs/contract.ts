import * as z from 'zod';
import { defineContract, open } from '../http/contract.ts';

/** An OpenAPI 3.1 document; what is below its first level is OpenAPI's to say. */
export const OpenApiResponse = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.unknown()),
  components: z.record(z.string(), z.unknown()),
});

export const getOpenapiContract = defineContract({
  method: 'GET',
  path: '/openapi.json',
  name: 'getOpenapi',
  summary: 'This API as an OpenAPI 3.1 document',
  guard: open,
  replies: { 200: { description: 'The document', schema: OpenApiResponse } },
  problems: [],
});

export const showDocsContract = defineContract({
  method: 'GET',
  path: '/docs',
  name: 'showDocs',
  summary: 'This API as a page to read',
  guard: open,
  replies: { 200: { description: 'The page, in HTML', bytes: true } },
  problems: [],
});
