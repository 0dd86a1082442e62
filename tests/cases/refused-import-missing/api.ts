import { price } from "./lib/prise";

export default { fetch: () => new Response(price) };
