export default class Greeting {
  static count = 0;
  text = "";
  constructor(name) {
    Greeting.count += 1;
    this.text = `hello ${name ?? "nobody"}`;
  }
}
export const shout = (text) => text.toUpperCase();
