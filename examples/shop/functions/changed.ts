// Hears of every change of an order and keeps what was sold as a stream, in the order in which it happened.

import { parseOrder } from "./order.ts";

export default {
  async kv(change, env) {
    const was = parseOrder(change.oldValue);
    const is = parseOrder(change.newValue);
    if (is === null) return;
    console.log(`order ${is.id} is ${is.status}`);
    if (is.status === "paid" && was?.status !== "paid") await env.sales.append(is, { key: is.product });
  },
} satisfies Dayfly.Handlers<"changed">;
