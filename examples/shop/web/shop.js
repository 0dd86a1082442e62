const euros = (cents) => (cents / 100).toFixed(2) + " EUR";
const list = document.querySelector("#products");
const line = document.querySelector("#order");

for (const product of await (await fetch("/api/products")).json()) {
  const item = list.appendChild(document.createElement("li"));
  const picture = item.appendChild(document.createElement("img"));
  picture.src = `/pictures/small/${product.id}.png`;
  picture.alt = "";
  item.appendChild(document.createElement("span")).textContent = `${product.name}, ${euros(product.cents)}`;
  const button = item.appendChild(document.createElement("button"));
  button.textContent = "Order";
  button.onclick = () => order(product.id);
}

async function order(product) {
  const answer = await fetch("/api/orders", { method: "POST", body: JSON.stringify({ product, quantity: 1 }) });
  const { id, error } = await answer.json();
  if (error) return (line.textContent = error);
  for (let status = "new"; status === "new"; ) {
    line.textContent = `Order ${id} is being worked off …`;
    await new Promise((wake) => setTimeout(wake, 300));
    ({ status } = await (await fetch(`/api/orders/${id}`)).json());
    if (status === "paid") line.textContent = `Order ${id} is paid. Thank you!`;
  }
}
