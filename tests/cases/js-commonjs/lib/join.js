module.exports = { join: (...parts) => parts.join("/") };
