// Writes down each night what was sold: one file a day.

import { parseOrder } from "./order.ts";

/** Orders that are read at once. */
const PAGE = 500;

export default {
  async scheduled(event, env) {
    const day = new Date(event.scheduledTime).toISOString().slice(0, 10);
    let text = "order,product,quantity,cents\n";
    let sold = 0;
    let cursor: string | null = null;
    do {
      const page: Dayfly.KvPage = await env.orders.list({ prefix: "order-", cursor, limit: PAGE });
      for (const value of (await env.orders.getMany(page.keys)).values()) {
        const order = parseOrder(value);
        if (order?.status !== "paid") continue;
        text += `${order.id},${order.product},${order.quantity},${order.cents}\n`;
        sold += 1;
      }
      cursor = page.cursor;
    } while (cursor !== null);
    await env.reports.put(`${day}.csv`, text);
    console.log(`${day}: ${sold} orders paid`);
  },
} satisfies Dayfly.Handlers<"report">;
