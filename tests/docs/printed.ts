// The output that an example promises.

/**
 * The texts after `// ` behind a `console.log`, or after `// prints: `. A second `// ` separates the texts of several calls.
 */
export function said(code: string): string[] {
  const comments = code.matchAll(/(?:console\.log\(.*\);|^) *\/\/ (.*)$/gm);
  return [...comments].flatMap(([whole, text = ""]) => {
    if (text.startsWith("prints: ")) return [text.slice("prints: ".length)];
    return whole.includes("console.log") ? text.split(" // ") : [];
  });
}
