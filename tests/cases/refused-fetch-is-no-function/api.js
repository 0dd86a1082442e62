export default { fetch: "https://example.com" };
