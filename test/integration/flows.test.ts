/** Flows of tenants, their calls and the cache. */
import { dataFlows } from '../support/flows/all-flows.ts';
import { describeFlows } from '../support/flows/flow-suite.ts';

describeFlows(dataFlows);
