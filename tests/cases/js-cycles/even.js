import { isOdd } from "./odd.js";
import { names } from "./api.js";

export const even = (n) => n === 0 || isOdd(n - 1);
export const later = () => names.push("even");
