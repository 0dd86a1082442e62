import { price } from "./b.js";

export const count = 2;
export const total = price * count;
