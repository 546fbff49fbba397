/**
 * The entry `sillok/react`: hooks for components that show documents and events live, and send commands. It needs React 18 or later.
 *
 * @packageDocumentation
 */

export { SillokProvider, type SillokProviderProps, useClient } from "./context.js";
export { type LiveCommand, useCommand } from "./use-command.js";
export { type LiveDocuments, useDocuments, type UseDocumentsOptions } from "./use-documents.js";
export { type LiveStream, useStream, type UseStreamOptions } from "./use-stream.js";
