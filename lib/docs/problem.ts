import * as z from 'zod';

/** What every refusal and fault is answered with (RFC 9457): `code` is stable, the texts are for people. */
export const Problem = z.object({
  type: z.string().describe('`urn:riptide:problem:` and the code.'),
  title: z.string().describe('The status in words.'),
  status: z.int(),
  detail: z.string().describe('What happened, for a person. It may change; do not compare it.'),
  code: z.string().describe('What happened, for a program. It never changes.'),
  request_id: z.string().describe('Name this when you ask about the request.'),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .describe('What is wrong with each field, as `body.owner.email`.'),
  details: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .optional()
    .describe('Facts that go with the code, as a limit.'),
});
export type Problem = z.output<typeof Problem>;
