// Everything that an import can name: with and without its ending, a folder's index, JSON, text, bytes, types alone, and later on demand.
import type { Price } from "./types";
import { add } from "./math";
import * as numbers from "./numbers.js";
import prices from "./prices.json";
import same from "./prices.json" with { type: "json" };
import notes from "./notes.md";
import pixel from "./pixel.bin";
import Greeting, { shout as loud } from "./greeting.mjs";

export { add } from "./math";

enum Size { Small = 1, Large }

abstract class Thing {
  constructor(readonly name: string, protected size = Size.Large) {}
  declare ignored: string;
  #secret = 7;
  get secret() { return this.#secret satisfies number; }
}
class Book extends Thing {}

const total = (all: Price[]) => all.reduce((sum, { price }) => add(sum, price), 0);

export default {
  async fetch(request: Request): Promise<Response> {
    const late = await import("./late.ts");
    const book = new Book("notes") as Thing & { secret: number };
    return Response.json({
      total: total(prices.prices as Price[]),
      same: same === prices,
      numbers: Object.keys(numbers),
      notes: notes.trim().split("\n"),
      pixel: [pixel instanceof Uint8Array, ...pixel],
      greeting: loud(new Greeting("ada").text),
      late: late.default(request.method!),
      again: late === (await import("./late.ts")),
      book: [book.name, book.secret, Object.hasOwn(book, "ignored"), Size[2]],
      url: import.meta.url.endsWith("src/api.ts"),
      top: await Promise.resolve(typeof this),
    });
  },
};
