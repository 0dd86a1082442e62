const { price } = require("./price");

module.exports = { fetch: () => new Response(price) };
