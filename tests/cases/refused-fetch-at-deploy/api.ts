const rates = await fetch("https://rates.example/today").then((answer) => answer.json());

export default { fetch: () => Response.json(rates) };
