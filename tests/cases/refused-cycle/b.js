import { count } from "./a.js";

export const price = 3 * count;
