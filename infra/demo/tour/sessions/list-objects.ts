/** The objects of a tenant's sessions, as the S3 of a service on this machine lists them. */
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { TenantId } from '../../../../lib/ids.ts';
import { sessionBlobPrefix } from '../../../../lib/keys.ts';
import type { DemoBucket } from '../../service.ts';
import type { ObjectFigures } from './figures.ts';

/** As many names are shown. */
const SHOWN_NAMES = 3;

/** All of these tenants together. */
export async function listSessionObjects(
  { bucket, region, endpoint, credentials }: DemoBucket,
  tenantIds: readonly string[],
): Promise<ObjectFigures> {
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  let [count, bytes] = [0, 0];
  const names: string[] = [];
  try {
    for (const id of tenantIds)
      for await (const { Key: name = '', Size: size = 0 } of objectsBelow(
        s3,
        bucket,
        sessionBlobPrefix(id as TenantId),
      )) {
        count++;
        bytes += size;
        if (names.length < SHOWN_NAMES) names.push(name);
      }
  } finally {
    s3.destroy();
  }
  return { count, bytes, names };
}

async function* objectsBelow(s3: S3Client, bucket: string, prefix: string) {
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }));
    yield* page.Contents ?? [];
    token = page.NextContinuationToken;
  } while (token !== undefined);
}
