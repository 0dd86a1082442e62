// The monotonic clock, in milliseconds. At deploy it stands at 0.
import native from "dayfly:native";

export const now = () => native.monotonicMs();
