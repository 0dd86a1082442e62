// Modules that import one another: what is only used later is there by then.
import { even } from "./even.js";
import { isOdd } from "./odd.js";

export const names = ["api"];

export default { fetch: () => Response.json([even(10), isOdd(10), names]) };
