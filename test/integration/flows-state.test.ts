/** Flows of checkpoints and restores. */
import { stateOfAllFlows } from '../support/flows/all-flows.ts';
import { describeFlows } from '../support/flows/flow-suite.ts';

describeFlows(stateOfAllFlows);
