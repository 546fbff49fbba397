/** Why the last command has changed nothing: the rules have refused it, or it has failed. */
export function Problem({
  rejection,
  error,
}: {
  rejection?: { code: string } | undefined;
  error?: unknown;
}) {
  const text = rejection?.code ?? (error === undefined ? undefined : String(error));
  return text === undefined ? null : <strong role="alert">{text}</strong>;
}
