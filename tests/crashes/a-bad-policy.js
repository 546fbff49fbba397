import "./compose-a-bad-policy.js";

export { Aggregate, Consumer, default, Journal } from "./entry.js";
