// Before the engine is loaded, which reads it.
globalThis.composition = "one category twice";
