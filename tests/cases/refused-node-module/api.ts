import { readFile } from "node:fs/promises";
import { createHash } from "crypto";

export default {
  async fetch() {
    return new Response(createHash("sha256").update(await readFile("a")).digest("hex"));
  },
};
