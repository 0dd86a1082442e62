import { load } from "./lib/load";

const settings = load({ name: "shop" });

export default { fetch: () => Response.json(settings) };
