// Math.random over the machine's own generator: at deploy it begins with a fixed seed, and in each invocation with one from the host.
import native from "dayfly:native";

const { random } = { random: () => native.random() };
Object.defineProperty(Math, "random", { value: random, writable: true, enumerable: false, configurable: true });
