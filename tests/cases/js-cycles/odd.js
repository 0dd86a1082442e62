import { even, later } from "./even.js";

export function isOdd(n) {
  if (n === 1) later();
  return n !== 0 && even(n - 1);
}
