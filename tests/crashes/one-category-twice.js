import "./compose-one-category-twice.js";

export { Aggregate, Consumer, default, Journal } from "./entry.js";
