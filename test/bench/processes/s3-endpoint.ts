/** The S3 endpoint in a process of its own: arguments are its folder and a key pair. Says its URL. */
import { startS3Endpoint } from '../../../infra/local/s3/start-s3-endpoint.ts';

const [dir = '', accessKeyId = '', secretAccessKey = ''] = process.argv.slice(2);
const endpoint = await startS3Endpoint({ dir, accessKeyId, secretAccessKey });
process.once('SIGTERM', () => void endpoint.stop());
console.log(JSON.stringify(endpoint.url));
