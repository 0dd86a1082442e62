// AWS's own client in a function, against the S3 API of the node that runs it: its build for browsers, which needs no Node.
import { DOMParser } from "@xmldom/xmldom";
import {
  CopyObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client,
} from "@aws-sdk/client-s3";

// The one thing of a browser's page that this build of the client reads answers with.
Object.assign(globalThis, { DOMParser, Node: { ELEMENT_NODE: 1, TEXT_NODE: 3 } });

interface Env { ENDPOINT: string; ID: string; SECRET: string }

const Bucket = "files";

async function everything(s3: S3Client) {
  const bytes = new Uint8Array(100_000).map((_, i) => i % 251);
  const put = await s3.send(new PutObjectCommand({ Bucket, Key: "a/text", Body: "some text", ContentType: "text/plain", Metadata: { who: "ada" } }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "a/bytes & more.bin", Body: bytes }));
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "a/text" }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a/text" }));
  const text = await got.Body!.transformToString();
  const range = await s3.send(new GetObjectCommand({ Bucket, Key: "a/bytes & more.bin", Range: "bytes=250-252" }));
  const part = [...await range.Body!.transformToByteArray()];
  await s3.send(new CopyObjectCommand({ Bucket, Key: "b/copy", CopySource: `${Bucket}/a/text` }));
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "a/", MaxKeys: 1 }));
  const rest = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "a/", ContinuationToken: listed.NextContinuationToken }));
  const groups = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
  const missing = await s3.send(new GetObjectCommand({ Bucket, Key: "none" }))
    .then(() => "there", (error) => [error instanceof NoSuchKey, error.name, error.$metadata.httpStatusCode]);
  const Objects = ["a/text", "a/bytes & more.bin", "b/copy"].map((Key) => ({ Key }));
  const deleted = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  return {
    tag: put.ETag, head: [head.ContentLength, head.ContentType, head.Metadata], text, part,
    pages: [listed, rest].map((page) => page.Contents?.map((object) => [object.Key, object.Size])),
    groups: groups.CommonPrefixes?.map((group) => group.Prefix), missing, deleted: deleted.Deleted?.length,
  };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const credentials = { accessKeyId: env.ID, secretAccessKey: env.SECRET };
    const s3 = new S3Client({ region: "us-east-1", endpoint: env.ENDPOINT, forcePathStyle: true, credentials });
    return Response.json(await everything(s3));
  },
};
