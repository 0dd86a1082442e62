import { price } from "./lib/price.js";

export default { fetch: () => new Response(price) };
