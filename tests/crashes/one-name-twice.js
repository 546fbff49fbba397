import "./compose-one-name-twice.js";

export { Aggregate, Consumer, default, Journal } from "./entry.js";
