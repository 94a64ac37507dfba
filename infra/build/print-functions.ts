/** Prints what serverless.yml deploys, as JSON: infra/deployed-functions.cjs asks for it. */
import { join } from 'node:path';
import { serverlessFunctions } from './deployed-functions.ts';
import { readFunctionList } from './function-list.ts';

console.log(JSON.stringify(serverlessFunctions(readFunctionList(join(import.meta.dirname, '../..')))));
