// Bodies as they come: passed on untouched, read piece by piece, changed on the way, made here, and taken apart as forms.

type Env = { big: { fetch(input: string): Promise<Response> }; bucket: { files: any } };

const text = new TextEncoder();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function counting(counted: (bytes: number) => void) {
  let bytes = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, to) {
      bytes += chunk.byteLength;
      to.enqueue(chunk);
    },
    flush: () => counted(bytes),
  });
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const big = () => env.big.fetch(`http://big.internal/big?bytes=${url.searchParams.get("bytes")}`);
    switch (url.pathname) {
      case "/pass":
        return big();
      case "/pass-body": {
        const answer = await big();
        return new Response(answer.body, { headers: { "x-passed": "yes" } });
      }
      case "/count": {
        const answer = await big();
        return new Response(answer.body!.pipeThrough(counting((bytes) => console.log(`counted ${bytes}`))));
      }
      case "/read": {
        let bytes = 0;
        for await (const chunk of (await big()).body!) bytes += chunk.byteLength;
        return new Response(`${bytes}\n`);
      }
      case "/hold": {
        const whole = await (await big()).arrayBuffer();
        return new Response(`${whole.byteLength}\n`);
      }
      case "/gzip": {
        const packed = (await big()).body!.pipeThrough(new CompressionStream("gzip"));
        let bytes = 0;
        for await (const chunk of packed.pipeThrough(new DecompressionStream("gzip"))) bytes += chunk.byteLength;
        return new Response(`${bytes}\n`);
      }
      case "/echo":
        return new Response(request.body);
      case "/shout": {
        const upper = new TransformStream<string, string>({ transform: (chunk, to) => to.enqueue(chunk.toUpperCase()) });
        return new Response(request.body!.pipeThrough(new TextDecoderStream()).pipeThrough(upper).pipeThrough(new TextEncoderStream()));
      }
      case "/events": {
        const stream = new ReadableStream({
          async start(to) {
            for (const word of ["one", "two", "three"]) {
              to.enqueue(text.encode(`data: ${word}\n\n`));
              await pause(150);
            }
            to.close();
          },
        });
        return new Response(stream, { headers: { "content-type": "text/event-stream" } });
      }
      case "/form": {
        const form = await request.formData();
        const told = [];
        for (const [name, value] of form) {
          if (typeof value === "string") {
            told.push([name, value]);
          } else {
            await env.bucket.files.put(value.name, value.stream());
            told.push([name, value.name, value.type, value.size]);
          }
        }
        return Response.json(told);
      }
      case "/stored":
        return new Response((await env.bucket.files.get(url.searchParams.get("key")))?.body ?? null);
      default:
        return new Response("no such path\n", { status: 404 });
    }
  },
};
