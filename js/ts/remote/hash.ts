/**
 * A hash of 106 bits as hexadecimal digits: two of bryc's cyrb53. It tells the commands of honest callers apart. A cryptographic
 * hash does not exist on each page: `crypto.subtle` is for secure ones.
 */
export function hash106(text: string): string {
  return cyrb53(text, 0) + cyrb53(text, 1);
}

function cyrb53(text: string, seed: number): string {
  let [high, low] = [0xdeadbeef ^ seed, 0x41c6ce57 ^ seed];
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  const number = 4294967296 * (2097151 & low) + (high >>> 0);
  return number.toString(16).padStart(14, "0");
}
