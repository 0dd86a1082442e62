// CountQueuingStrategy and ByteLengthQueuingStrategy.
import { TypeError, defineInterface, requireArguments } from "dayfly:primordials";

const markFrom = (init, where) => {
  if (init === null || (typeof init !== "object" && typeof init !== "function")) throw new TypeError(`${where}: the argument is an object like { highWaterMark: 1 }`);
  const { highWaterMark } = init;
  if (highWaterMark === undefined) throw new TypeError(`${where}: highWaterMark is missing`);
  return +highWaterMark;
};

// One function each, without a prototype, as the standard has it.
const { size: byteLength } = { size: (chunk) => chunk.byteLength };
const { size: one } = { size: () => 1 };

export class CountQueuingStrategy {
  #highWaterMark;

  constructor(init) {
    requireArguments(arguments.length, 1, "CountQueuingStrategy");
    this.#highWaterMark = markFrom(init, "CountQueuingStrategy");
  }

  get highWaterMark() { return this.#highWaterMark; }
  get size() { return this.#highWaterMark === undefined ? undefined : one; }
}

export class ByteLengthQueuingStrategy {
  #highWaterMark;

  constructor(init) {
    requireArguments(arguments.length, 1, "ByteLengthQueuingStrategy");
    this.#highWaterMark = markFrom(init, "ByteLengthQueuingStrategy");
  }

  get highWaterMark() { return this.#highWaterMark; }
  get size() { return this.#highWaterMark === undefined ? undefined : byteLength; }
}

defineInterface(CountQueuingStrategy);
defineInterface(ByteLengthQueuingStrategy);
