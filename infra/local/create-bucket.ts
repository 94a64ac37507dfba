/** The bucket of the local stack. */
import { CreateBucketCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { BUCKET, REGION } from './handler-settings.ts';

/** Makes the bucket; one that is there stays as it is. */
export async function createBucket(s3: {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}): Promise<void> {
  const { url, ...credentials } = s3;
  const client = new S3Client({ endpoint: url, region: REGION, forcePathStyle: true, credentials });
  try {
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  } catch (error) {
    if (!(error instanceof S3ServiceException && error.name === 'BucketAlreadyOwnedByYou')) throw error;
  } finally {
    client.destroy();
  }
}
