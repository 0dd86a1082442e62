// The same as servers of Node are written: `node node.js PORT`.
import { createServer } from "node:http";
import { bills, page, subject } from "./work.js";

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function answer(request, response) {
  switch (request.url) {
    case "/json":
      response.setHeader("content-type", "application/json");
      return bills(await body(request));
    case "/markdown":
      response.setHeader("content-type", "text/html; charset=utf-8");
      return page(await body(request));
    case "/jwt":
      return subject(await body(request));
    default:
      return `hello ${new URL(request.url, "http://localhost").pathname.slice(1)}\n`;
  }
}

const server = createServer((request, response) => {
  answer(request, response).then((text) => response.end(text), (error) => response.writeHead(500).end(`${error}\n`));
});
server.listen(Number(process.argv[2]), "127.0.0.1");
