// The engine of the program that tests. It is imported by its name and in one place, so that `sillok/testing` has no second one.

export { EventGateway, EventStore } from "sillok";
