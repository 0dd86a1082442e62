import { price, discount } from "./lib.js";

export default { fetch: () => new Response(price + discount) };
