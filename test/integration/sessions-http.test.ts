import { testSessionsOverHttp } from '../support/session-http-suite.ts';

testSessionsOverHttp('tcp');
