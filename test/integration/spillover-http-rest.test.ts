import { testSpilloverOverHttp } from '../support/spillover-http-suite.ts';

testSpilloverOverHttp('rest');
