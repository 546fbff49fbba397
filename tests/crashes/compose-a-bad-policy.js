// Before the engine is loaded, which reads it.
globalThis.composition = "a bad policy";
