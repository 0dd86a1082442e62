// FormData and Blob, and forms in bodies of both kinds.
import { equal, ok, run, same, test, throws } from "./assert.mjs";

const multipart = (...lines) => new Response(lines.join("\r\n"), { headers: { "content-type": 'multipart/form-data; boundary="b"' } }).formData();

test("a form holds names with texts and files", async () => {
  const form = new FormData();
  form.append("a", 1);
  form.append("a", "2");
  form.append("file", new Blob(["x"], { type: "text/x" }), "x.txt");
  form.append("blob", new Blob(["y"]));
  same([form.get("a"), form.getAll("a"), form.get("none"), form.has("a")], ["1", ["1", "2"], null, true]);
  const file = form.get("file");
  ok(file instanceof File);
  same([file.name, file.type, await file.text(), form.get("blob").name], ["x.txt", "text/x", "x", "blob"]);
  form.set("a", "3");
  form.delete("file");
  same([...form].map(([name]) => name), ["a", "blob"]);
  await throws(() => form.append("a", "text", "name.txt"), "TypeError", "a file name goes with a Blob");
  await throws(() => form.append("a"), "TypeError", "2 arguments");
  await throws(() => new FormData({}), "TypeError", "no HTML forms");
});

test("a form goes through a body and comes back", async () => {
  const form = new FormData();
  form.append("text", "line\nbreaks\r\nand \"quotes\"");
  form.append('na"me\n', "ü😀");
  form.append("file", new File([new Uint8Array([0, 13, 10, 255])], 'f"1.bin', { type: "application/x" }));
  const back = await new Response(form).formData();
  equal(back.get("text"), 'line\r\nbreaks\r\nand "quotes"');
  equal(back.get('na"me\r\n'), "ü😀");
  const file = back.get("file");
  same([file.name, file.type, [...await file.bytes()]], ['f"1.bin', "application/x", [0, 13, 10, 255]]);
  const empty = await new Response(new FormData()).formData();
  same([...empty], []);
});

test("forms of other programs are read", async () => {
  const form = await multipart(
    "a preamble", "--b", 'Content-Disposition: form-data; name="a"', "", "1",
    "--b  ", 'content-disposition: form-data; name="f"; filename="n.txt"', "Content-Type: text/csv; charset=x", "X-Other: y", "", "a,b", "",
    "--b", 'content-disposition: form-data; filename="no-type"; name=plain', "", "--not b",
    "--b", 'content-disposition: form-data; name="empty"', "", "",
    "--b--", "an epilogue",
  );
  same([...form.keys()], ["a", "f", "plain", "empty"]);
  equal(form.get("a"), "1");
  same([form.get("f").name, form.get("f").type, await form.get("f").text()], ["n.txt", "text/csv; charset=x", "a,b\r\n"]);
  same([form.get("plain").name, form.get("plain").type, await form.get("plain").text()], ["no-type", "text/plain", "--not b"]);
  equal(form.get("empty"), "");
});

test("what is no form is refused with the reason", async () => {
  await throws(() => multipart("hello"), "TypeError", "the boundary that its content-type names is not in it");
  await throws(() => multipart("--b", 'content-disposition: form-data; name="a"', "", "1"), "TypeError", 'the part "a" has no end');
  await throws(() => multipart("--b", "content-type: text/plain", "", "1", "--b--"), "TypeError", "a part has no name");
  await throws(() => multipart("--b", "no header", "", "1", "--b--"), "TypeError", '"no header" is no header');
  await throws(() => multipart("--bc", "", "--b--"), "TypeError", "a boundary at byte 3");
  await throws(() => multipart("--b", 'content-disposition: attachment; name="a"', "", "1", "--b--"), "TypeError", "not form-data");
  await throws(() => multipart("--b", 'content-disposition: form-data; name="a"'), "TypeError", "no end");
  await throws(() => new Response("a", { headers: { "content-type": "multipart/form-data" } }).formData(), "TypeError", "names no boundary");
  await throws(() => new Response("a").formData(), "TypeError", "its content-type is text/plain");
  await throws(() => new Response(new Uint8Array(1)).formData(), "TypeError", "it has no content-type");
});

test("a form in a query's form is read", async () => {
  const form = await new Response(new URLSearchParams([["a", "1 2"], ["ü", "&="]])).formData();
  same([...form], [["a", "1 2"], ["ü", "&="]]);
});

test("a blob is its parts, sliced and read in every way", async () => {
  const blob = new Blob(["aü", new Uint8Array([98]), new Blob(["c"]), new Uint8Array([0, 100]).subarray(1)], { type: "Text/Plain" });
  same([blob.size, blob.type, await blob.text()], [6, "text/plain", "aübcd"]);
  same([await blob.slice(1, -1, "X/Y").text(), blob.slice(1, -1, "X/Y").type], ["übc", "x/y"]);
  same([blob.slice(-2).size, blob.slice(4, 2).size, blob.slice(99).size], [2, 0, 0]);
  equal((await blob.arrayBuffer()).byteLength, 6);
  (await blob.bytes())[0] = 0;
  equal(await blob.text(), "aübcd");
  equal(await new Response(blob.stream()).text(), "aübcd");
  equal(await new Blob(["a\nb\r\nc\r"], { endings: "native" }).text(), "a\nb\nc\n");
  equal(new Blob(["a"], { type: "ü" }).type, "");
  await throws(() => new Blob("a"), "TypeError", "a list of parts");
  await throws(() => new Blob(["a"], { endings: "x" }), "TypeError", "endings");
});

test("a file has a name and a time", async () => {
  const file = new File(["a"], "n.txt", { type: "a/b", lastModified: 7.9 });
  same([file.name, file.lastModified, file.type, file.size, file instanceof Blob], ["n.txt", 7, "a/b", 1, true]);
  ok(Object.prototype.toString.call(file) === "[object File]");
  await throws(() => new File(["a"]), "TypeError", "2 arguments");
});

test("blobs and files are cloned with what holds them", async () => {
  const { blob, file } = structuredClone({ blob: new Blob(["a"], { type: "x/y" }), file: new File(["b"], "n", { lastModified: 5 }) });
  same([blob.type, await blob.text(), file.name, file.lastModified, await file.text()], ["x/y", "a", "n", 5, "b"]);
});

await run();
