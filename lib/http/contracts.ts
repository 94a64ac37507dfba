/** Every endpoint's contract, by path. OpenAPI, the page of the documentation and the client are made from this list. */
import { whoAmIContract } from '../account/contract.ts';
import { listAlertsContract, sendTestAlertContract } from '../alerts/contract.ts';
import { listAuditContract } from '../audit/contract.ts';
import { deleteEntryContract, getEntryContract, headEntryContract } from '../cache/contract.ts';
import { putEntryContract } from '../cache/put-contract.ts';
import { getOpenapiContract, showDocsContract } from '../docs/contract.ts';
import { checkLiveContract, checkReadyContract } from '../health/contract.ts';
import { createTenantContract, getTenantContract } from '../tenants/contract.ts';
import { createKeyContract } from '../tenants/key-contract.ts';
import {
  deleteTenantContract,
  listTenantsContract,
  resumeTenantContract,
  suspendTenantContract,
  undeleteTenantContract,
  updateTenantContract,
} from '../tenants/update-contract.ts';
import type { Contract } from './contract.ts';

/** All but `$default`, which is no endpoint. */
export const allContracts = [
  listAuditContract, // /admin/audit
  createTenantContract, // /admin/tenants
  listTenantsContract,
  deleteTenantContract, // /admin/tenants/{id}
  getTenantContract,
  updateTenantContract,
  createKeyContract,
  resumeTenantContract,
  suspendTenantContract,
  undeleteTenantContract,
  listAlertsContract,
  sendTestAlertContract,
  deleteEntryContract, // /cache
  getEntryContract,
  headEntryContract,
  putEntryContract,
  showDocsContract, // /docs
  checkLiveContract, // /health
  checkReadyContract,
  getOpenapiContract, // /openapi.json
  whoAmIContract, // /whoami
] as const satisfies readonly Contract[];

export type AnyContract = (typeof allContracts)[number];
/** The name of an endpoint's function and of the client's method. */
export type ContractName = AnyContract['name'];
/** The contract of a name. */
export type ContractOf<N extends ContractName> = Extract<AnyContract, { readonly name: N }>;
