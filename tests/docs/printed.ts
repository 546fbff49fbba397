// What an example says it prints.

/** The texts after `// ` behind a `console.log`, parted by `// ` where it prints several times, or after `// prints: `. */
export function said(code: string): string[] {
  const comments = code.matchAll(/(?:console\.log\(.*\);|^) *\/\/ (.*)$/gm);
  return [...comments].flatMap(([whole, text = ""]) => {
    if (text.startsWith("prints: ")) return [text.slice("prints: ".length)];
    return whole.includes("console.log") ? text.split(" // ") : [];
  });
}
