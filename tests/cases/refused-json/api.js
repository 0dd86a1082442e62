import prices from "./prices.json";

export default { fetch: () => Response.json(prices) };
